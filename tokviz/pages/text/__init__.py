"""Words of the pages: how numbers read, sentences that several pages have, terms, and text in other forms."""
