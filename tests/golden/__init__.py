"""Sites of stored arrays: what they say is compared with what they said before."""
