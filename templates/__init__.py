"""What is experimented on: templates, their manifests, and one scored execution of a candidate."""
