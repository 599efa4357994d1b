import NIOCore
import Platform
import Storages

extension StorageConformance {
    static let listingChecks: [Check] = [
        Check("lists names of every script, each once, and deletes them") { subject in
            let paths = (0..<136).map { "\($0 % 5)/\(scripts[$0 % scripts.count]) \($0)" }
            try await paths.forEachConcurrently(limit: 8) { path in
                _ = try await subject.upload(path, ByteBuffer(string: path), subject.careful)
            }
            let expected = try paths.map { try subject.name($0) }.sorted()
            let listed = try await subject.names()
            try subject.expect(listed.count, equals: expected.count, "the number of names listed")
            let missing = Set(expected).subtracting(listed)
            try subject.expect(missing.isEmpty, "\(missing.count) names are not listed, such as \(missing.prefix(3))")
            if subject.storage.capabilities.contains(.orderedListing) {
                try subject.expect(listed == expected, "the names are not in the order of their bytes")
            }
            let below = try await subject.names(prefix: "3/\(scripts[3])")
            let expectedBelow = expected.filter { $0.string.hasPrefix("\(subject.directory)/3/\(scripts[3])") }
            try subject.expect(Set(below), equals: Set(expectedBelow), "the names below a prefix with blanks")
            try subject.expect(!below.isEmpty, "no name is below the prefix")
            let failures = try await subject.storage.delete(expected)
            try subject.expect(failures.isEmpty, "\(failures.count) were not deleted: \(failures.prefix(3))")
            try await subject.expectNothingStored()
        },
        Check("opens only the version asked for, whatever the size") { subject in
            for size in [1, 70_000, 300_000, 6 << 20] {
                let first = try await subject.upload("\(size).bin", subject.bytes(size))
                guard let tag = first.entityTag else { return }
                let options = OpenOptions(ifMatch: tag)
                let contents = try await subject.storage.open(first.name, options: options).collect(upTo: size)
                try subject.expect(contents == subject.bytes(size), "the version of \(size) bytes has other ones")
                _ = try await subject.upload("\(size).bin", subject.bytes(size, seed: 1), .init(ifExists: .replace))
                for range in [nil, ByteRange.first(1), .last(1)] {
                    let stale = OpenOptions(range: range, ifMatch: tag)
                    try await subject.expectError(.preconditionFailed, doing: "opening a version that is gone") {
                        try await subject.storage.open(first.name, options: stale).collect(upTo: size)
                    }
                }
            }
        },
        Check("stores and reads beside sources that stall") { subject in
            let chunk = subject.bytes(100_000)
            let begun = Recorder<Int>()
            let stalled = try (0..<16).map { number in
                let name = try subject.name("stalled/\(number).bin")
                let source = ScriptedChunks { index in
                    if index == 0 { return chunk }
                    begun.append(number)
                    try await Task.sleep(for: .seconds(600))
                    return nil
                }
                return Task {
                    // Half of them say how many bytes there will be.
                    let length: Int64? = number % 2 == 0 ? 200_000 : nil
                    return try await subject.storage.upload(.stream(source, length: length), to: name)
                }
            }
            do {
                while begun.values.count < stalled.count { try await Task.sleep(for: .milliseconds(2)) }
                try await (0..<64).map { "small/\($0).txt" }.forEachConcurrently(limit: 8) { path in
                    let file = try await subject.upload(path, ByteBuffer(string: path), subject.careful)
                    try await subject.expectContents(file.name, ByteBuffer(string: path))
                }
            } catch {
                for task in stalled { task.cancel() }
                throw error
            }
            for task in stalled { task.cancel() }
            for task in stalled { try await subject.expectCancelled(task) }
            let left = try await subject.names(prefix: "stalled/")
            try subject.expect(left.isEmpty, "\(left) exist, although their sources never ended")
        },
    ]

    /// Beginnings of names in different scripts, and with what goes wrong in keys, URLs and signatures.
    private static let scripts = [
        "latin", "Ярлык", "日本 語", "a b", "한국어", "עברית", "عربى", "हिन्दी", "ไทย", "a+b", "100%", "50%25", "é", "🐈",
        "ελ&λη=ν",
        "~'()*!", "𝒳",
    ]
}
