#include "src/manager/build_context.h"

#include "oci/archive.h"
#include "oci/layer_apply.h"

namespace slipway::manager {

bool is_archive(std::string_view head) {
  constexpr size_t kMagic = 257;  // where a tar header has it
  return oci::compression_of(head) != oci::Compression::none ||
         (head.size() > kMagic && head.substr(kMagic).starts_with("ustar"));
}

Result<std::unique_ptr<drivers::Stage>> unpack_context(drivers::Driver& driver, oci::ByteSource& archive) {
  std::unique_ptr<drivers::Stage> stage = TRY(driver.stage(""));
  oci::PeekedSource source(archive);
  const oci::Compression compression = oci::compression_of(TRY(source.head()));
  std::unique_ptr<oci::Decompressor> plain;
  if (compression != oci::Compression::none) plain = TRY(oci::Decompressor::open(source, compression));
  oci::ByteSource& tar = plain ? static_cast<oci::ByteSource&>(*plain) : source;
  TRY(oci::apply_layer(tar, stage->root(), {}).ctx("build context"));
  return stage;
}

}  // namespace slipway::manager
