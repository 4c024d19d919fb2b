#define BOOST_TEST_MODULE limpid
#include <boost/test/unit_test.hpp>
