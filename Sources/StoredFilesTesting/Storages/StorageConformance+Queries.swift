import Foundation
import NIOCore
import Storages

extension StorageConformance {
    static let queryChecks: [Check] = [
        Check("says that a missing file is not found, and gives it the size 0") { subject in
            let name = try subject.name("missing.txt")
            try await subject.expectError(.notFound, doing: "opening a missing file") {
                try await subject.contents(name)
            }
            let error = try await subject.expectError(.notFound, doing: "looking up a missing file") {
                try await subject.storage.info(for: name)
            }
            try subject.expect(
                error.name?.hasSuffix("missing.txt") == true,
                "the error does not name the file: \(error)"
            )
            try subject.expect(try await subject.storage.size(of: name), equals: 0, "the size of a missing file")
            try subject.expect(try await !subject.storage.exists(name), "a missing file exists")
        },
        Check("does not take a directory for a file") { subject in
            _ = try await subject.upload("directory/file.txt", ByteBuffer(string: "x"))
            let name = try subject.name("directory")
            try subject.expect(try await !subject.storage.exists(name), "the directory is a file")
            try await subject.expectError(.notFound, doing: "opening a directory") { try await subject.contents(name) }
        },
        Check("knows size, date and tag of a file") { subject in
            let start = Date()
            let file = try await subject.upload("info.txt", ByteBuffer(string: "12345"))
            let info = try await subject.storage.info(for: file.name)
            try subject.expect(info.name, equals: file.name, "the name")
            try subject.expect(info.byteCount, equals: 5, "the size")
            try subject.expect(info.entityTag, equals: file.entityTag, "the tag")
            if let modified = info.modified {
                // Servers keep seconds only, and clocks differ a little.
                try subject.expect(abs(modified.timeIntervalSince(start)) < 300, "the file was modified at \(modified)")
            }
            let again = try await subject.storage.info(for: file.name)
            try subject.expect(again.entityTag, equals: info.entityTag, "the tag at a second look")
        },
        Check("changes the tag with the contents, and opens only the version asked for") { subject in
            let first = try await subject.upload("tag.txt", ByteBuffer(string: "first"))
            guard let tag = first.entityTag else { return }
            let options = OpenOptions(ifMatch: tag)
            let contents = try await subject.storage.open(first.name, options: options).collect(upTo: 100)
            try subject.expect(contents, equals: ByteBuffer(string: "first"), "the contents of the first version")
            let second = try await subject.upload("tag.txt", ByteBuffer(string: "other"), .init(ifExists: .replace))
            try subject.expect(second.entityTag != tag, "the tag stayed \(tag) although the contents changed")
            try await subject.expectError(.preconditionFailed, doing: "opening a version that is gone") {
                try await subject.storage.open(first.name, options: options).collect(upTo: 100)
            }
        },
        Check("knows the content type from the name or from the upload") { subject in
            let named = try await subject.upload("photo.jpg", ByteBuffer(string: "x"))
            let given = try await subject.upload("photo.png", ByteBuffer(string: "x"), .init(contentType: .png))
            try subject.expect(try await subject.storage.info(for: named.name).contentType, equals: .jpeg, "the type")
            try subject.expect(try await subject.storage.info(for: given.name).contentType, equals: .png, "the type")
        },
        Check("keeps content type, disposition, cache control and metadata, or refuses them") { subject in
            let options = UploadOptions(
                contentType: "application/x-special",
                contentDisposition: "attachment; filename=\"x.dat\"",
                cacheControl: "max-age=60",
                metadata: ["author": "somebody"]
            )
            guard subject.storage.capabilities.contains(.storedMetadata) else {
                try await subject.expectError(.unsupported, doing: "an upload with metadata") {
                    try await subject.upload("special.dat", ByteBuffer(string: "x"), options)
                }
                return try await subject.expectNothingStored()
            }
            let file = try await subject.upload("special.dat", ByteBuffer(string: "x"), options)
            let info = try await subject.storage.info(for: file.name)
            try subject.expect(info.contentType, equals: "application/x-special", "the type")
            try subject.expect(info.contentDisposition, equals: "attachment; filename=\"x.dat\"", "the disposition")
            try subject.expect(info.cacheControl, equals: "max-age=60", "the cache control")
            try subject.expect(info.metadata["author"], equals: "somebody", "the metadata")
        },
        Check("percent-encodes URLs and gives different names different ones") { subject in
            var urls: Set<String> = []
            let names = ["a b.txt", "a+b.txt", "a%20b.txt", "a?b.txt", "a#b.txt", "é.txt", "\"<>.txt", "a&b=c.txt"]
            for text in names {
                let url = try await subject.storage.url(for: try subject.name(text))
                let isClean = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }
                try subject.expect(isClean, "\(url) has characters that no URL may have")
                // The name's own characters must not read as the parts of a URL.
                let path = url.prefix { $0 != "?" && $0 != "#" }
                try subject.expect(path.hasSuffix(".txt"), "\(url) ends before the name does")
                urls.insert(String(path))
            }
            try subject.expect(urls.count, equals: names.count, "the number of different URLs")
        },
        Check("refuses a lifetime of URLs when it cannot give one") { subject in
            let name = try subject.name("temporary.txt")
            let options = URLOptions(lifetime: .seconds(60))
            guard subject.storage.capabilities.contains(.temporaryURL) else {
                try await subject.expectError(.unsupported, doing: "a URL with a lifetime") {
                    try await subject.storage.url(for: name, options: options)
                }
                return
            }
            let url = try await subject.storage.url(for: name, options: options)
            try subject.expect(url.contains("?"), "\(url) carries no signature")
        },
        Check("deletes, and deletes a missing name without an error") { subject in
            let file = try await subject.upload("gone.txt", ByteBuffer(string: "x"))
            try await subject.storage.delete(file.name)
            try subject.expect(try await !subject.storage.exists(file.name), "the file still exists")
            try await subject.storage.delete(file.name)
            try await subject.expectNothingStored()
        },
        Check("deletes many names in one call, some of them missing") { subject in
            var names = try (0..<1100).map { try subject.name("many/\($0).txt") }
            for index in stride(from: 0, to: 1100, by: 100) {
                names[index] = try await subject.upload("many/\(index).txt", ByteBuffer(integer: index)).name
            }
            let other = try await subject.upload("other.txt", ByteBuffer(string: "x"))
            let failures = try await subject.storage.delete(names)
            try subject.expect(failures.isEmpty, "deletions failed: \(failures)")
            try subject.expect(try await subject.names(), equals: [other.name], "the names left")
            let none = try await subject.storage.delete([])
            try subject.expect(none.isEmpty, "deleting nothing failed: \(none)")
        },
        Check("purges names with a receipt for each, in order, and leaves the others") { subject in
            let storage = subject.storage
            let replaced = try await subject.upload("purged.txt", ByteBuffer(string: "1")).name
            _ = try await subject.upload("purged.txt", ByteBuffer(string: "22"), UploadOptions(ifExists: .replace))
            let other = try await subject.upload("purged.txt2", ByteBuffer(string: "x")).name
            let below = try await subject.upload("purged/txt", ByteBuffer(string: "x")).name
            let missing = try subject.name("missing.txt")
            let bad = StorageName(unchecked: "a//b")
            let receipts = try await storage.purge([missing, bad, replaced])
            try subject.expect(receipts.map(\.name), equals: [missing, bad, replaced], "the names in the receipts")
            for (receipt, code) in zip(receipts, [nil, StorageError.Code.invalidName, nil]) {
                try subject.expect(receipt.error?.code, equals: code, "the error of \(receipt)")
            }
            for (receipt, isThere) in zip(receipts, [false, false, true]) {
                try subject.expect(
                    receipt.versionCount > 0,
                    equals: isThere,
                    "whether there was something in \(receipt)"
                )
            }
            try subject.expect(receipts[1].error?.name, equals: bad.string, "the name in the error")
            try subject.expect(try await !storage.exists(replaced), "the file still exists")
            try subject.expect(Set(try await subject.names()), equals: [other, below], "the names left")
            let again = try await storage.purge([replaced])
            try subject.expect(again.allSatisfy { $0.error == nil && $0.versionCount == 0 }, "\(again) after a purge")
            let none = try await storage.purge([])
            try subject.expect(none.isEmpty, "purging nothing gave \(none)")
        },
        Check("lists the files below a prefix, each once, in byte order") { subject in
            let paths = ["b.txt", "a/1.txt", "a/10.txt", "a/2.txt", "a-b.txt", "a.txt", "ab/c.txt", "é.txt", "Z.txt"]
            for path in paths { _ = try await subject.upload(path, ByteBuffer(string: path)) }
            let expected = try paths.map { try subject.name($0) }.sorted()
            let all = try await subject.names()
            try subject.expect(Set(all), equals: Set(expected), "the names")
            try subject.expect(all.count, equals: expected.count, "the number of names")
            if subject.storage.capabilities.contains(.orderedListing) {
                try subject.expect(all, equals: expected, "the order")
            }
            let below = try await subject.names(prefix: "a/1")
            try subject.expect(
                Set(below),
                equals: Set([try subject.name("a/1.txt"), try subject.name("a/10.txt")]),
                "a/1…"
            )
            try subject.expect(try await subject.names(prefix: "nothing"), equals: [], "the names below a free prefix")
            for try await info in subject.storage.list(prefix: "\(subject.directory)/") {
                let size = info.name.string.utf8.count - subject.directory.utf8.count - 1
                try subject.expect(info.byteCount, equals: Int64(size), "the size of \(info.name)")
            }
        },
        Check("lists while files come and go, and can be stopped") { subject in
            for index in 0..<20 { _ = try await subject.upload("\(index).txt", ByteBuffer(integer: index)) }
            var seen: Set<StorageName> = []
            for try await info in subject.storage.list(prefix: "\(subject.directory)/") {
                try subject.expect(seen.insert(info.name).inserted, "\(info.name) was listed twice")
                try await subject.storage.delete(info.name)
            }
            try subject.expect(seen.count, equals: 20, "the number of files listed")
            _ = try await subject.upload("one.txt", ByteBuffer(string: "1"))
            _ = try await subject.upload("two.txt", ByteBuffer(string: "2"))
            for try await _ in subject.storage.list(prefix: "\(subject.directory)/") { break }
        },
    ]
}
