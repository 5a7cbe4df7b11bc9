"""Take over organizations that were registered outside the portal."""
