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
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ spends a fifth of its time on clearing away what LibTorch's templates left: not below 6 GB.
  target_compile_options(limpid_build_flags INTERFACE
    "SHELL:--param ggc-min-heapsize=3000000" "SHELL:--param ggc-min-expand=100")
endif()

# Engines of others that limpid-restore can compute networks in: those that are there. OpenVINO:
# pip install openvino, -DOpenVINO_DIR=.../site-packages/openvino/cmake; ONNX Runtime: Debian 13's
# libonnxruntime-dev.
add_library(limpid_engines INTERFACE)
set(engines_found)
find_package(OpenVINO QUIET CONFIG COMPONENTS Runtime)
if(OpenVINO_FOUND)
  target_link_libraries(limpid_engines INTERFACE openvino::runtime)
  target_compile_definitions(limpid_engines INTERFACE LIMPID_WITH_OPENVINO=1)
  list(APPEND engines_found OpenVINO)
endif()
find_package(onnxruntime QUIET CONFIG)
if(onnxruntime_FOUND)
  target_link_libraries(limpid_engines INTERFACE onnxruntime::onnxruntime)
  target_compile_definitions(limpid_engines INTERFACE LIMPID_WITH_ONNXRUNTIME=1)
  list(APPEND engines_found "ONNX Runtime")
endif()
message(STATUS "Engines beside limpid's own: ${engines_found}")

# Tests may be compiled otherwise than programs: -O0 is quicker from scratch, and most of what they
# run is LibTorch.
set(LIMPID_TEST_FLAGS "" CACHE STRING "Further flags of the compiler for tests")
if(LIMPID_TESTS)
  find_package(Boost 1.74 REQUIRED COMPONENTS unit_test_framework)
  separate_arguments(test_flags UNIX_COMMAND "${LIMPID_TEST_FLAGS}")
  add_library(limpid_test_flags INTERFACE)
  target_link_libraries(limpid_test_flags INTERFACE limpid_build_flags Boost::unit_test_framework)
  target_compile_definitions(limpid_test_flags INTERFACE BOOST_TEST_DYN_LINK)
  target_compile_options(limpid_test_flags INTERFACE ${test_flags})
endif()

# What a program adds to limpid::compiled reads arguments and writes tables: a third of its compile
# time went into making that fast.
add_library(limpid_program_flags INTERFACE)
target_link_libraries(limpid_program_flags INTERFACE limpid_build_flags limpid::compiled)
target_compile_options(limpid_program_flags INTERFACE $<$<CONFIG:Release>:-O1>)

# Precompiled once, reused by every program, test and benchmark.
function(limpid_precompile name flags)
  if(LIMPID_PRECOMPILED_HEADERS)
    file(WRITE "${CMAKE_BINARY_DIR}/precompiled.cpp" "")
    add_library(${name} OBJECT EXCLUDE_FROM_ALL "${CMAKE_BINARY_DIR}/precompiled.cpp")
    target_link_libraries(${name} PRIVATE ${flags})
    target_precompile_headers(${name} PRIVATE
      <nlohmann/json.hpp> <filesystem> <fstream> <map> <string> <vector> ${ARGN})
  endif()
endfunction()
function(limpid_reuse_precompiled target name)
  if(LIMPID_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()
if(LIMPID_EXAMPLES)
  limpid_precompile(limpid_precompiled_programs limpid_program_flags <limpid/limpid.hpp>)
endif()
limpid_precompile(limpid_precompiled limpid_build_flags <torch/torch.h>)
if(LIMPID_TESTS)
  limpid_precompile(limpid_precompiled_tests limpid_test_flags
    <torch/torch.h> <boost/test/unit_test.hpp>)
endif()

# Links a program with the compiled library.
function(limpid_link_program target)
  target_link_libraries(${target} PRIVATE limpid_program_flags ${ARGN})
  limpid_reuse_precompiled(${target} limpid_precompiled_programs)
endfunction()

# Links what measures the headers with them.
function(limpid_link target)
  target_link_libraries(${target} PRIVATE limpid_build_flags ${ARGN})
  limpid_reuse_precompiled(${target} limpid_precompiled)
endfunction()

# Links a test with the library.
function(limpid_link_test target)
  target_link_libraries(${target} PRIVATE limpid_test_flags ${ARGN})
  limpid_reuse_precompiled(${target} limpid_precompiled_tests)
endfunction()
