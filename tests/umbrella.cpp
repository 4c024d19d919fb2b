// The umbrella header a second time: what it defines must be allowed in two translation units.
#include <limpid/limpid.hpp>
