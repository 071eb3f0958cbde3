"""A simulated world of members, hospitals, claims, frauds, investigators and time: latent truth apart from what is observed."""
