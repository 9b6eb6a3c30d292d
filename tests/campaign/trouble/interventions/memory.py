def estimate(rng):
    kept = []
    for _ in range(64):
        kept.append(bytearray(b"x") * (64 << 20))
    return 0.5 + len(kept)
