#pragma once

// To restore by model files of any network that limpid knows, as applications do: pictures in files
// or in memory, a task by its name or found by the router.

#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/restore_picture.hpp>
#include <limpid/inference/restorer_options.hpp>
#include <limpid/inference/routed_restoring.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>
#include <limpid/io/picture_view.hpp>
#include <limpid/model/families.hpp>
