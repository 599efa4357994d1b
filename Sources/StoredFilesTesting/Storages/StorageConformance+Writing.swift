import NIOCore
import Platform
import Storages

extension StorageConformance {
    static let writingChecks: [Check] = [
        Check("renames a second file of one name and keeps both") { subject in
            let first = try await subject.upload("twin.tar.gz", ByteBuffer(string: "first"))
            let second = try await subject.upload("twin.tar.gz", ByteBuffer(string: "second"))
            try subject.expect(first.name != second.name, "both files have the name \(first.name)")
            try subject.expect(second.name.string.hasSuffix(".gz"), "\(second.name) has lost its extension")
            try subject.expect(second.name.directory, equals: first.name.directory, "the directory of the second file")
            try await subject.expectContents(first.name, ByteBuffer(string: "first"))
            try await subject.expectContents(second.name, ByteBuffer(string: "second"))
        },
        Check("fails for a second file of one name when asked to, and keeps the first") { subject in
            let first = try await subject.upload("only.txt", ByteBuffer(string: "first"))
            try await subject.expectError(subject.refusal, doing: "a second upload with .fail") {
                try await subject.upload("only.txt", ByteBuffer(string: "second"), UploadOptions(ifExists: .fail))
            }
            try await subject.expectContents(first.name, ByteBuffer(string: "first"))
            try subject.expect(try await subject.names(), equals: [first.name], "the names")
        },
        Check("replaces a file when asked to") { subject in
            let first = try await subject.upload("replaced.txt", ByteBuffer(string: "a longer first version"))
            let second = try await subject.upload(
                "replaced.txt",
                ByteBuffer(string: "second"),
                UploadOptions(ifExists: .replace)
            )
            try subject.expect(second.name, equals: first.name, "the name")
            try await subject.expectContents(first.name, ByteBuffer(string: "second"))
            try subject.expect(try await subject.names(), equals: [first.name], "the names")
        },
        Check("keeps all files of concurrent writers of one name") { subject in
            guard subject.storage.capabilities.contains(.conditionalUpload) else { return }
            let files = try await subject.writeAtOnce(8, UploadOptions(ifExists: .rename))
            try subject.expect(files.count, equals: 8, "the number of files stored")
            try subject.expect(Set(files.map(\.file.name)).count, equals: 8, "the number of different names")
            for (seed, file) in files {
                try await subject.expectContents(file.name, subject.bytes(200_000, seed: seed))
            }
        },
        Check("lets one of concurrent writers win when the others shall fail") { subject in
            guard subject.storage.capabilities.contains(.conditionalUpload) else { return }
            let files = try await subject.writeAtOnce(8, UploadOptions(ifExists: .fail))
            try subject.expect(files.count, equals: 1, "the number of winners")
            for (seed, file) in files {
                try await subject.expectContents(file.name, subject.bytes(200_000, seed: seed))
            }
            try subject.expect(try await subject.names().count, equals: 1, "the number of files")
        },
        Check("never mixes the bytes of concurrent replacements") { subject in
            let files = try await subject.writeAtOnce(8, UploadOptions(ifExists: .replace))
            try subject.expect(files.count, equals: 8, "the number of writers that succeeded")
            let found = try await subject.contents(try subject.name("contested.bin"))
            let isWhole = (0..<8).contains { found == subject.bytes(200_000, seed: UInt8($0)) }
            try subject.expect(isWhole, "the file is none of the versions written")
            try subject.expect(try await subject.names().count, equals: 1, "the number of files")
        },
        Check("gives a reader one version while the file is replaced") { subject in
            let old = subject.bytes(1_500_000, seed: 1)
            let new = subject.bytes(1_500_000, seed: 2)
            let file = try await subject.upload("versions.bin", old)
            try await subject.expectOneVersion(of: file, old) {
                _ = try await subject.upload("versions.bin", new, UploadOptions(ifExists: .replace))
            }
            try await subject.expectContents(file.name, new)
        },
        Check("gives a reader the whole file or an error while it is deleted") { subject in
            let old = subject.bytes(1_500_000, seed: 1)
            let file = try await subject.upload("deleted.bin", old)
            try await subject.expectOneVersion(of: file, old) {
                try await subject.storage.delete(file.name)
            }
        },
        Check("shows a tap every byte once and in order") { subject in
            let seen = Recorder<ByteBuffer>()
            let bytes = subject.bytes(700_000)
            let options = UploadOptions(tap: { seen.append($0) })
            let file = try await subject.upload("tapped.bin", bytes, options)
            let joined = seen.values.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
            try subject.expect(joined == bytes, "the tap saw other bytes than were stored")
            let largest = seen.values.map(\.readableBytes).max() ?? 0
            try subject.expect(largest <= 262_144, "the tap saw a chunk of \(largest) bytes")
            try await subject.expectContents(file.name, bytes)
        },
        Check("takes exactly as many bytes as the limit allows") { subject in
            let file = try await subject.upload("full.bin", subject.bytes(1000), UploadOptions(maxBytes: 1000))
            try subject.expect(file.byteCount, equals: 1000, "the byte count")
        },
    ]
}

extension ConformanceSubject {
    fileprivate func writeAtOnce(
        _ count: Int,
        _ options: UploadOptions
    ) async throws -> [(seed: UInt8, file: UploadedFile)] {
        let files = try await (0..<UInt8(count)).mapConcurrently(limit: count) { seed -> UploadedFile? in
            do {
                return try await upload("contested.bin", bytes(200_000, seed: seed), options)
            } catch let error as StorageError where error.code == .alreadyExists {
                return nil
            }
        }
        return files.enumerated().compactMap { seed, file in file.map { (UInt8(seed), $0) } }
    }

    /// Reads a file and does something to it after the first chunk.
    fileprivate func expectOneVersion(
        of file: UploadedFile,
        _ expected: ByteBuffer,
        while work: () async throws -> Void
    ) async throws {
        var iterator = try await storage.open(file.name).makeAsyncIterator()
        var found = ByteBuffer()
        guard let first = try await iterator.next() else {
            throw ConformanceFailure(check: check, message: "no chunk was delivered")
        }
        found.writeImmutableBuffer(first)
        try await work()
        do {
            while let chunk = try await iterator.next() { found.writeImmutableBuffer(chunk) }
        } catch let error as StorageError where error.code == .changedDuringRead || error.code == .notFound {
            return
        }
        try expect(found == expected, "the reader got \(found.readableBytes) bytes that are not the version it opened")
    }
}
