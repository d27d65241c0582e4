"""The three titles of the album, as written music. Adding one here is enough to have it rendered."""

from demo.render.score import Title

from .les_digues import LES_DIGUES
from .phare_eteint import PHARE_ETEINT
from .sel import SEL

TITLES: dict[str, Title] = {title.slug: title for title in (LES_DIGUES, PHARE_ETEINT, SEL)}
