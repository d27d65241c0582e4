"""PostgreSQL as pages, `jobs` and the edge reach it: nobody waits for ever."""
