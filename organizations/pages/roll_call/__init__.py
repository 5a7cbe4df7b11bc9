"""What the portal knows of each OID or own identifier of a list, in both environments."""
