"""Makes the captures that are due."""
