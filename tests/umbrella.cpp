// The umbrella headers a second time: what they define must be allowed in two translation units.
#include <limpid/everything.hpp>
#include <limpid/limpid.hpp>
#include <limpid/restore.hpp>
