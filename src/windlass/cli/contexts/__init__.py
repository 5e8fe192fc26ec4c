"""Named engines, kept where and as Docker's command line keeps them, so that both see them."""
