import Foundation

/// `bench WORK --n N --concurrency C --size BYTES [--durability fsync|none] [--no-sha256]`: does one work of
/// `peers/works` with this library and prints one line of JSON, as `peers/README.md` describes it.
///
/// `bench lifecycle --n REPETITIONS` prints what the journal costs instead.
@main
struct Bench {
    static func main() async {
        do {
            let settings = try Settings(arguments: Array(CommandLine.arguments.dropFirst()))
            if settings.work == "lifecycle" { return try await LifecycleCost(settings).run() }
            guard let work = works[settings.work] else {
                try emit(
                    Refusal(na: "not a work of this program; it does \(works.keys.sorted().joined(separator: ", "))")
                )
                return
            }
            if settings.durability == .none, !storesFiles.contains(settings.work) {
                try emit(Refusal(na: "stores no file: the durability makes no difference"))
                return
            }
            if !settings.computesSHA256, !hashesFiles.contains(settings.work) {
                try emit(Refusal(na: "computes no SHA-256 of a whole file"))
                return
            }
            // On the threads that serve requests: from the main thread every call would be a hop to them and back.
            try emit(await Task.detached { try await work(settings) }.value)
        } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            exit(EXIT_FAILURE)
        }
    }

    private static let works: [String: @Sendable (Settings) async throws -> MeasuredLine] = [
        "w01_fs_save_small": saveSmallFiles,
        "w02_fs_save_large": saveLargeFile,
        "w03_s3_put_small": putSmallObjects,
        "w03_s3_get_small": getSmallObjects,
        "w04_s3_put_large": putLargeObject,
        "w04_s3_get_large": getLargeObject,
        "w05_presign": presign,
        "w06_dims_header": readDimensions,
        "w08_rows_fetch": fetchRows,
        "w09_row_get": getRows,
        "w10_insert_with_file": insertWithFile,
        "w12_sanitize": sanitizeNames,
        "w13_rss_fs": saveLargeFile,
        "w13_rss_s3": putLargeObject,
    ]

    private static let storesFiles: Set<String> = [
        "w01_fs_save_small", "w02_fs_save_large", "w10_insert_with_file", "w13_rss_fs",
    ]

    private static let hashesFiles: Set<String> = [
        "w01_fs_save_small", "w02_fs_save_large", "w03_s3_put_small", "w04_s3_put_large", "w13_rss_fs", "w13_rss_s3",
    ]

    private struct Refusal: Encodable {
        let na: String
    }

    private static func emit(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
