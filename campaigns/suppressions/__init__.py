"""Who is never mailed: `rules` says who and how strongly, `entries` reads what people type, `loading` files of it, `releasing` lets go."""
