// Pieces that stand for one byte: "<0x0A>".
#ifndef LITERTLM_TEXT_BYTE_PIECE_H_
#define LITERTLM_TEXT_BYTE_PIECE_H_

#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace litertlm {

std::string BytePiece(unsigned char byte);
/// The byte, or -1 if the piece is not of that form.
int ByteOfPiece(std::string_view piece);

/// Throws kUsage for an id outside the vocabulary.
void CheckTokenId(const Tokenizer& tokenizer, TokenId id);
/// Throws kUsage for a text above 1 GiB: positions have 32 bits, and normalization usually makes
/// it three times as long at most.
void CheckTextSize(std::string_view text);

}  // namespace litertlm

#endif  // LITERTLM_TEXT_BYTE_PIECE_H_
