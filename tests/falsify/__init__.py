"""Reports in which a kind of claim is false, and some in which it is true."""
