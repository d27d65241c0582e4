"""The fan's home page as a good Django developer would write it without our books: the peer of `vteam bench home`.

Ordinary models, the ORM, `select_related`, a count for a rank, Django's usual middleware, one template of the same
content. Filled from a played season (`fill`), so both pages say the same of the same fans.
"""
