import NIOCore
import Storages

extension StorageConformance {
    static let copyChecks: [Check] = [
        Check("copies a file and leaves the source alone") { subject in
            let bytes = subject.bytes(400_000)
            let source = try await subject.upload("source.jpg", bytes)
            let copy = try await subject.storage.copy(source.name, to: try subject.name("copies/copy.jpg"))
            try subject.expect(copy.name, equals: try subject.name("copies/copy.jpg"), "the name")
            try subject.expect(copy.byteCount, equals: 400_000, "the byte count")
            try await subject.expectContents(copy.name, bytes)
            try await subject.expectContents(source.name, bytes)
            try subject.expect(try await subject.storage.info(for: copy.name).contentType, equals: .jpeg, "the type")
        },
        Check("says that the source of a copy is missing") { subject in
            try await subject.expectError(.notFound, doing: "copying a missing file") {
                try await subject.storage.copy(try subject.name("missing.txt"), to: try subject.name("copy.txt"))
            }
            try await subject.expectNothingStored()
        },
        Check("renames, refuses or replaces when the name of a copy is taken") { subject in
            let source = try await subject.upload("source.txt", ByteBuffer(string: "source"))
            let taken = try await subject.upload("taken.txt", ByteBuffer(string: "taken"))
            try await subject.expectError(subject.refusal, doing: "a copy to a taken name with .fail") {
                try await subject.storage.copy(source.name, to: taken.name, options: UploadOptions(ifExists: .fail))
            }
            let renamed = try await subject.storage.copy(source.name, to: taken.name)
            try subject.expect(renamed.name != taken.name, "the copy has the name that was taken")
            try await subject.expectContents(renamed.name, ByteBuffer(string: "source"))
            try await subject.expectContents(taken.name, ByteBuffer(string: "taken"))
            let replaced = try await subject.storage.copy(
                source.name,
                to: taken.name,
                options: UploadOptions(ifExists: .replace)
            )
            try subject.expect(replaced.name, equals: taken.name, "the name")
            try await subject.expectContents(taken.name, ByteBuffer(string: "source"))
        },
        Check("loses nothing when a file is copied onto itself") { subject in
            let bytes = subject.bytes(400_000)
            let file = try await subject.upload("self.bin", bytes)
            let copy = try await subject.storage.copy(
                file.name,
                to: file.name,
                options: UploadOptions(ifExists: .replace)
            )
            try subject.expect(copy.name, equals: file.name, "the name")
            try await subject.expectContents(file.name, bytes)
        },
        Check("copies nothing over the limit") { subject in
            let source = try await subject.upload("source.bin", subject.bytes(1000))
            try await subject.expectError(.tooLarge, doing: "a copy of 1000 bytes with a limit of 999") {
                try await subject.storage.copy(
                    source.name,
                    to: try subject.name("copy.bin"),
                    options: UploadOptions(maxBytes: 999)
                )
            }
            try subject.expect(try await subject.names(), equals: [source.name], "the names")
        },
    ]
}
