#define BOOST_TEST_MODULE limpid
#include <support/paths.hpp>

#include <boost/test/unit_test.hpp>

const char* const limpid_test::kSourceFolder = LIMPID_SOURCE_DIR;
const char* const limpid_test::kProgramsFolder = LIMPID_PROGRAMS_DIR;
