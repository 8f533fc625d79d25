# cmake --install build/release --prefix WHERE
#   bin/litert-lm-cli                      the program
#   include/litertlm, lib/liblitertlm.a    the library: find_package(litertlm), or pkg-config
#   share/litert-lm-cli/tiny-*             the bundled checkpoints
#   share/doc/litert-lm-cli                README, licence, docs

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS litert-lm-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS litertlm EXPORT litertlm ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/litertlm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# The library is static and carries no third-party code: its users link Debian's shared libraries.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/litertlm)
install(EXPORT litertlm NAMESPACE litertlm:: FILE litertlmTargets.cmake DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/litertlmConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES cmake/litertlmConfig.cmake ${PROJECT_BINARY_DIR}/litertlmConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH pc_prefix /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
configure_file(cmake/litertlm.pc.in litertlm.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/litertlm.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY testdata/tiny-qwen3 testdata/tiny-gemma3
  DESTINATION ${CMAKE_INSTALL_DATADIR}/litert-lm-cli
  # What only the tests read.
  PATTERN reference.json EXCLUDE
  PATTERN tokenizer_vectors.json EXCLUDE
  PATTERN *.npy EXCLUDE)
install(FILES README.md README_MODELS.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
