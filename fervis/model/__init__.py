"""The user's network: built, loaded, named layer by layer, run; and the default one."""
