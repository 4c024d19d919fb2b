# What the headers need: used by the project and, once installed, by find_package(limpid).
include(CMakeFindDependencyMacro)
find_dependency(Torch 1.13)
find_dependency(Eigen3 3.3 NO_MODULE)
find_dependency(nlohmann_json 3.9)
find_dependency(Stb)
find_dependency(ZLIB)

# Decoders of pictures, fast convolutions, event files, several processes. A build takes those that it finds (AUTO),
# or those that it is told to (ON, OFF); an installed limpid asks for those that it was built
# with. Without them stb_image decodes JPEG and the rarer kinds of PNG, WebP is passed over, zlib
# unpacks PNGs in place of ISA-L, LibTorch computes all convolutions, no files for TensorBoard are
# written, and there is no training in several processes.
foreach(part JPEG PNG WEBP ISAL ONEDNN PROTOZERO GLOO)
  set(package ${part})
  if(part STREQUAL "WEBP")
    set(package WebP)
  elseif(part STREQUAL "ONEDNN")
    set(package OneDNN2 2.5...<3)
  elseif(part STREQUAL "PROTOZERO")
    set(package Protozero)
  elseif(part STREQUAL "GLOO")
    set(package Gloo)
  endif()
  if(LIMPID_WITH_${part} STREQUAL "AUTO")
    find_package(${package} QUIET)
    list(GET package 0 package)
    set(LIMPID_HAS_${part} ${${package}_FOUND})
  elseif(LIMPID_WITH_${part})
    find_dependency(${package})
    set(LIMPID_HAS_${part} ON)
  else()
    set(LIMPID_HAS_${part} OFF)
  endif()
endforeach()

# LibTorch's targets belong to the directory that found them; a project that takes limpid through
# FetchContent links them from another.
foreach(target torch torch_library torch_cpu torch_cpu_library torch_cuda torch_cuda_library c10 c10_cuda
        caffe2::mkl caffe2::mkldnn caffe2::Threads dnnl glog::glog Eigen3::Eigen
        nlohmann_json::nlohmann_json Stb::Stb ZLIB::ZLIB JPEG::JPEG PNG::PNG WebP::webp ISAL::isal OneDNN2::dnnl
        Protozero::protozero Gloo::headers protobuf::libprotobuf)
  if(TARGET ${target})
    get_target_property(imported ${target} IMPORTED)
    get_target_property(alias ${target} ALIASED_TARGET)
    if(imported AND NOT alias)
      set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL ON)
    endif()
  endif()
endforeach()

# Debian's LibTorch computes with whatever BLAS is installed; the reference one is 30 times slower.
file(GLOB blas_libraries /usr/lib/*-linux-gnu/libblas.so.3)
foreach(blas IN LISTS blas_libraries)
  file(REAL_PATH "${blas}" blas)
  if("${TORCH_INSTALL_PREFIX}" MATCHES "^/usr" AND NOT blas MATCHES "openblas|mkl|blis")
    message(WARNING "LibTorch will use ${blas}, which is slow: install libopenblas0-pthread")
  endif()
endforeach()
