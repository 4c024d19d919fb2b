# The target verify_headers: each header compiles on its own, without a warning.
#
# LibTorch's headers take most of that time, so those that a header includes anyway, by itself or
# through other headers of limpid, are precompiled. What its own lines see is the same, as includes
# stand first in each header, and each of the others is compiled alone too: nothing that fails
# without precompiled headers passes with them.
set(limpid_precompiled_sets "torch/nn.h nlohmann/json.hpp" "torch/nn.h" "ATen/TensorOperators.h"
  "ATen/core/Tensor.h")

# Sets `out` to all headers of other libraries that a header of limpid leads to.
function(limpid_foreign_includes header out)
  get_property(known GLOBAL PROPERTY "limpid_foreign_includes_${header}" SET)
  if(NOT known)
    set(foreign)
    file(STRINGS "${PROJECT_SOURCE_DIR}/include/${header}" lines REGEX "^#include <")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include <([^>]+)>.*" "\\1" included "${line}")
      if(included MATCHES "^limpid/")
        limpid_foreign_includes("${included}" included)
      endif()
      list(APPEND foreign ${included})
    endforeach()
    list(REMOVE_DUPLICATES foreign)
    set_property(GLOBAL PROPERTY "limpid_foreign_includes_${header}" "${foreign}")
  endif()
  get_property(foreign GLOBAL PROPERTY "limpid_foreign_includes_${header}")
  set(${out} "${foreign}" PARENT_SCOPE)
endfunction()

add_library(limpid_verify_flags INTERFACE)
target_link_libraries(limpid_verify_flags INTERFACE limpid::limpid)
target_compile_options(limpid_verify_flags INTERFACE -Wall -Wextra -Wpedantic -Werror)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${limpid_headers})

foreach(path IN LISTS limpid_headers)
  cmake_path(RELATIVE_PATH path BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/include"
    OUTPUT_VARIABLE header)
  limpid_foreign_includes("${header}" foreign)
  set(number 0)
  foreach(precompiled IN LISTS limpid_precompiled_sets)
    string(REPLACE " " ";" precompiled "${precompiled}")
    list(REMOVE_ITEM precompiled ${foreign})
    if(NOT precompiled)
      break()
    endif()
    math(EXPR number "${number} + 1")
  endforeach()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/verify_headers/${header}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n" @ONLY)
  list(APPEND headers_of_set_${number} "${source}")
endforeach()

add_custom_target(verify_headers)
list(LENGTH limpid_precompiled_sets none)
foreach(number RANGE ${none})
  if(headers_of_set_${number})
    set(name limpid_verify_headers_${number})
    add_library(${name} OBJECT EXCLUDE_FROM_ALL ${headers_of_set_${number}})
    target_link_libraries(${name} PRIVATE limpid_verify_flags)
    if(number LESS none)
      list(GET limpid_precompiled_sets ${number} precompiled)
      string(REPLACE " " ">;<" precompiled "<${precompiled}>")
      target_precompile_headers(${name} PRIVATE ${precompiled})
    endif()
    add_dependencies(verify_headers ${name})
  endif()
endforeach()
