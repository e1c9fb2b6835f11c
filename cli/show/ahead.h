/* How times that lie ahead are said stands in base/, as alerts say them too. */
#include "base/ahead.h"
