# everything.hpp must include every other header.
file(GLOB_RECURSE headers RELATIVE "${SOURCE}/include" "${SOURCE}/include/limpid/*/*.hpp")
file(READ "${SOURCE}/include/limpid/everything.hpp" umbrella)
foreach(header IN LISTS headers)
  string(FIND "${umbrella}" "#include <${header}>" found)
  if(found EQUAL -1)
    message(SEND_ERROR "everything.hpp does not include ${header}")
  endif()
endforeach()
