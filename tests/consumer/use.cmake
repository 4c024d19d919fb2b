# Builds and runs the consumer in tests/consumer, with limpid installed, installed with
# limpid::compiled, or fetched (WAY).
set(work "${BUILD}/consumer-${WAY}")
file(REMOVE_RECURSE "${work}")
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}")
  endif()
endfunction()

if(WAY STREQUAL "fetch_content")
  set(how "-DFETCHCONTENT_SOURCE_DIR_LIMPID=${SOURCE}" "-DUSE_FETCH_CONTENT=ON")
else()
  set(how)
  run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${work}/prefix" --component library)
  if(WAY STREQUAL "compiled")
    run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${work}/prefix" --component compiled)
  endif()
endif()
# LibTorch's own packages (Caffe2 and others) are looked up beside it, so its folder goes into the
# path and not only into Torch_DIR.
get_filename_component(torch_packages "${TORCH_DIR}" DIRECTORY)
set(ENV{CMAKE_PREFIX_PATH} "${torch_packages}:${work}/prefix")
run(${CMAKE_COMMAND} -S "${SOURCE}/tests/consumer" -B "${work}/build" -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
  ${how})
run(${CMAKE_COMMAND} --build "${work}/build")
run("${work}/build/consumer")

# What the library holds is not compiled again.
if(WAY STREQUAL "compiled")
  find_program(NM nm REQUIRED)
  execute_process(COMMAND "${NM}" -C "${work}/build/CMakeFiles/consumer.dir/compiled.cpp.o"
    OUTPUT_VARIABLE symbols)
  foreach(function "Image::from_unit" "named_weighting<void>" "FamilyOf<limpid::NAFNetEncoder[^\n]*>::build")
    if(NOT symbols MATCHES " U [^\n]*${function}\\(" OR symbols MATCHES " [WTtu] [^\n]*limpid::(detail::)?${function}\\(")
      message(FATAL_ERROR "compiled once more: ${function}")
    endif()
  endforeach()
endif()
