# Tests in fewer translation units. Each file pays again for the templates of LibTorch and limpid
# that it touches, which is most of what a build from scratch costs; a few files together pay once.
# Their names stay apart: what all of them include comes first, then each file in a namespace of its
# own, where its includes have nothing left to say. A file that lacks an include may compile here;
# builds with LIMPID_TESTS_TOGETHER=1, the default, tell.
set(LIMPID_TESTS_TOGETHER 1 CACHE STRING
  "Files of tests in one translation unit; more is quicker from scratch, slower to change")

# Sets `out` to translation units of this executable that hold `ARGN`, files of tests.
function(limpid_together out executable)
  if(LIMPID_TESTS_TOGETHER LESS 2)
    set(${out} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  # A new include of a test must be known here.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
  set(units)
  set(rest ${ARGN})
  while(rest)
    set(files)
    foreach(place RANGE 1 ${LIMPID_TESTS_TOGETHER})
      list(POP_FRONT rest file)
      list(APPEND files ${file})
    endforeach()
    set(includes)
    set(bodies)
    foreach(file IN LISTS files)
      cmake_path(ABSOLUTE_PATH file)
      file(STRINGS "${file}" directives REGEX "^#(include|if|else|endif)")
      list(JOIN directives "\n" directives)
      string(APPEND includes "${directives}\n")
      cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        OUTPUT_VARIABLE name)
      string(MAKE_C_IDENTIFIER "${name}" name)
      string(APPEND bodies "namespace ${name} {\n#include \"${file}\"\n}\n")
    endforeach()
    list(LENGTH units number)
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/together/${executable}_${number}.cpp")
    file(CONFIGURE OUTPUT "${unit}" CONTENT "${includes}${bodies}" @ONLY)
    list(APPEND units "${unit}")
  endwhile()
  set(${out} ${units} PARENT_SCOPE)
endfunction()
