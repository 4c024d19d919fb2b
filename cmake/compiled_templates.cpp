// The library limpid::compiled: the templates that its headers list as LIMPID_ONCE.
#define LIMPID_COMPILED
#define LIMPID_DEFINES_ONCE
#include <limpid/degradations/named_degradations.hpp>
#include <limpid/engine/engine_network.hpp>
#include <limpid/model/families.hpp>
#include <limpid/recipes/adversaries.hpp>
#include <limpid/training/training_loop.hpp>
#include <limpid/weighting/named_weightings.hpp>
