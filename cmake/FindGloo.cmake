# Finds the headers of Gloo (Debian: libgloo-dev), where LibTorch has Gloo inside, and defines
# Gloo::headers. Nothing is linked: what c10d needs of Gloo is in LibTorch.
find_path(Gloo_INCLUDE_DIR gloo/rendezvous/store.h HINTS ${TORCH_INCLUDE_DIRS})
if(Gloo_INCLUDE_DIR AND NOT DEFINED Gloo_IN_LIBTORCH)
  include(CheckCXXSourceCompiles)
  get_target_property(Gloo_torch_configuration torch_cpu IMPORTED_CONFIGURATIONS)
  list(GET Gloo_torch_configuration 0 Gloo_torch_configuration)
  get_target_property(Gloo_torch_library torch_cpu IMPORTED_LOCATION_${Gloo_torch_configuration})
  set(CMAKE_REQUIRED_LIBRARIES "${Gloo_torch_library}")
  set(CMAKE_REQUIRED_LINK_OPTIONS "LINKER:--unresolved-symbols=ignore-in-shared-libs")
  check_cxx_source_compiles("
    extern \"C\" char _ZTIN4c10d16ProcessGroupGlooE;  // its type, whatever its members
    int main() { return _ZTIN4c10d16ProcessGroupGlooE; }" Gloo_IN_LIBTORCH)
  unset(CMAKE_REQUIRED_LIBRARIES)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Gloo REQUIRED_VARS Gloo_INCLUDE_DIR Gloo_IN_LIBTORCH)
if(TARGET torch_cuda)
  # For tensors on cards; a wheel of LibTorch brings NCCL in a package beside itself.
  find_path(Gloo_NCCL_INCLUDE_DIR nccl.h HINTS "${TORCH_INSTALL_PREFIX}/../nvidia/nccl/include")
endif()
if(Gloo_FOUND AND NOT TARGET Gloo::headers)
  add_library(Gloo::headers INTERFACE IMPORTED)
  set(Gloo_include_folders "${Gloo_INCLUDE_DIR}")
  if(Gloo_NCCL_INCLUDE_DIR)
    list(APPEND Gloo_include_folders "${Gloo_NCCL_INCLUDE_DIR}")
  endif()
  set_target_properties(Gloo::headers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Gloo_include_folders}"
    INTERFACE_COMPILE_DEFINITIONS USE_C10D_GLOO)  # Debian's LibTorch says so itself
endif()
mark_as_advanced(Gloo_INCLUDE_DIR Gloo_NCCL_INCLUDE_DIR)
