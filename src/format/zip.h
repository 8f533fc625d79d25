// Zip archives whose entries are stored as they are, so that they can be read in place.
#ifndef LITERTLM_FORMAT_ZIP_H_
#define LITERTLM_FORMAT_ZIP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace litertlm {

struct ZipEntry {
  std::string name;
  uint64_t begin = 0;  ///< Offset of the content in the archive.
  Bytes bytes;         ///< A view of the archive.
};

/// True if the first bytes are those of an archive.
bool IsZip(Bytes bytes);

/// The entries in the order of the archive's directory at its end, folders left out. Archives above
/// 4 GiB (zip64) are read as well; nothing is copied and checksums are not computed. `where` is for
/// messages.
/// Throws kBadInput where a number of the directory does not fit the archive, an entry's own header
/// contradicts it, entries overlap or share a name; kUnsupported for an archive in several parts
/// and for entries that are compressed or encrypted.
std::vector<ZipEntry> ReadZip(Bytes bytes, std::string_view where);

}  // namespace litertlm

#endif  // LITERTLM_FORMAT_ZIP_H_
