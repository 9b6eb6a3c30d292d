"""The language-model team: one module per role, asked through one desk, with prompts as Markdown."""
