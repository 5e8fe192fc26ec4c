"""Names for containers whose user gave none: an adjective, an underscore, and a name from seafaring.

Every word is lower-case ASCII, so that a name serves as a DNS label.
"""

from __future__ import annotations

import random
from collections.abc import Callable

_ADJECTIVES_TEXT = (
    "able agile airy amber ample aqua ardent azure blithe bold brave breezy bright brisk bronze busy calm candid "
    "cheery civil clear clever cobalt copper coral cordial cosy crisp daring deft eager early easy even fabled "
    "fair fleet fluent fond frank fresh gallant gentle gilded glad golden grand great happy hardy hearty honest "
    "humble ivory jaunty jolly jovial keen kind lively loyal lucid lucky mellow merry mighty mild modest neat "
    "nimble noble opal open patient placid plucky polite proud prudent quick quiet rapid ready regal robust rosy "
    "sage salty sandy serene sharp silver sleek smart snug sober spry stable staunch steady stoic sturdy sunny "
    "swift tidy trim trusty upbeat valiant vivid warm wise witty zesty"
)
_SURNAMES_TEXT = (
    "amundsen anson baffin baltimore banks barents bart baudin bering blackwood bligh bougainville bowditch "
    "brunel byrd cabot cano cartier chichester cochrane colomb cook cousteau crozier cunard dana darwin davis "
    "defoe dias drake earle erikson fisher fitzroy flinders franklin frobisher fulton furneaux gama gilbert grace "
    "graham halley hanno harrison hawke hornblower hudson humboldt ibnbattuta jansen jansz jutland kellett "
    "kotzebue kruzenshtern laperouse laskarina lewin lightoller lind linnaeus lovell macarthur magellan mahan "
    "malaspina maury maclean mcclure melville mercator moitessier nansen nelson nordenskiold parry peary piccard "
    "pinzon plimsoll polo pytheas raleigh ross ruyter scoresby scott shackleton slocum smeaton stad tasman torres "
    "tristan vancouver verne vespucci weddell wilkes worsley zhenghe"
)

_ADJECTIVES = _ADJECTIVES_TEXT.split()
_SURNAMES = _SURNAMES_TEXT.split()

_TRIES = 6


def random_name(is_taken: Callable[[str], bool]) -> str:
    """Return a name that is not taken; a digit is added when chance does not find a plain one."""
    for attempt in range(_TRIES):
        name = f"{random.choice(_ADJECTIVES)}_{random.choice(_SURNAMES)}"
        if attempt == _TRIES - 1:
            name += str(random.randrange(10))
        if not is_taken(name):
            return name
    return f"{random.choice(_ADJECTIVES)}_{random.choice(_SURNAMES)}_{random.getrandbits(32):08x}"
