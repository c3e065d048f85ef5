// Search reads its index by a request, which browsers refuse to pages that are opened from disk.
if (location.protocol === "file:") document.documentElement.classList.add("from-disk");
