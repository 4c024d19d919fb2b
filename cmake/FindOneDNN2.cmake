# Finds oneDNN 2 (Debian: libdnnl-dev), the last with Winograd's convolution, and defines
# OneDNN2::dnnl. LibTorch's packages bring headers of oneDNN 3 or targets called dnnl of their own:
# this one has another name, and a folder of links to its headers, which is searched before theirs.
find_path(ONEDNN2_INCLUDE_DIR oneapi/dnnl/dnnl.hpp
  PATHS /usr/include /usr/local/include NO_DEFAULT_PATH)
find_path(ONEDNN2_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(ONEDNN2_LIBRARY dnnl)
set(ONEDNN2_VERSION)
if(ONEDNN2_INCLUDE_DIR)
  file(READ "${ONEDNN2_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" onednn2_header)
  foreach(part MAJOR MINOR PATCH)
    string(REGEX MATCH "DNNL_VERSION_${part} +([0-9]+)" _ "${onednn2_header}")
    list(APPEND ONEDNN2_VERSION ${CMAKE_MATCH_1})
  endforeach()
  list(JOIN ONEDNN2_VERSION "." ONEDNN2_VERSION)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN2
  REQUIRED_VARS ONEDNN2_LIBRARY ONEDNN2_INCLUDE_DIR
  VERSION_VAR ONEDNN2_VERSION HANDLE_VERSION_RANGE)
if(OneDNN2_FOUND AND NOT TARGET OneDNN2::dnnl)
  set(onednn2_links "${CMAKE_CURRENT_BINARY_DIR}/limpid_onednn2")
  file(MAKE_DIRECTORY "${onednn2_links}")
  foreach(name dnnl.hpp oneapi)
    file(CREATE_LINK "${ONEDNN2_INCLUDE_DIR}/${name}" "${onednn2_links}/${name}" SYMBOLIC)
  endforeach()
  add_library(OneDNN2::dnnl UNKNOWN IMPORTED)
  set_target_properties(OneDNN2::dnnl PROPERTIES
    IMPORTED_LOCATION "${ONEDNN2_LIBRARY}"
    IMPORTED_NO_SYSTEM ON  # system folders come after LibTorch's
    INTERFACE_INCLUDE_DIRECTORIES "${onednn2_links}")
endif()
mark_as_advanced(ONEDNN2_INCLUDE_DIR ONEDNN2_LIBRARY)
