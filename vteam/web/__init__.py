"""Pages: views, forms, templates, styles. Everything works without JavaScript."""
