# Settings of limpid's own programs and tests; nothing here reaches a user of the library.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
find_package(Threads REQUIRED)

add_library(limpid_build_flags INTERFACE)
target_link_libraries(limpid_build_flags INTERFACE limpid::limpid Threads::Threads)
target_compile_options(limpid_build_flags INTERFACE -Wall -Wextra -Wpedantic)

# Precompiled once, reused by every program and test.
if(LIMPID_PRECOMPILED_HEADERS)
  file(WRITE "${CMAKE_BINARY_DIR}/precompiled.cpp" "")
  add_library(limpid_precompiled OBJECT EXCLUDE_FROM_ALL "${CMAKE_BINARY_DIR}/precompiled.cpp")
  target_link_libraries(limpid_precompiled PRIVATE limpid_build_flags)
  target_precompile_headers(limpid_precompiled PRIVATE
    <torch/torch.h> <nlohmann/json.hpp> <filesystem> <fstream> <map> <string> <vector>)
endif()

# Links a program or test with the library.
function(limpid_link target)
  target_link_libraries(${target} PRIVATE limpid_build_flags ${ARGN})
  if(LIMPID_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM limpid_precompiled)
  endif()
endfunction()
