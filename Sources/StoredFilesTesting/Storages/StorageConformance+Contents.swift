import Foundation
import NIOCore
import Storages

extension StorageConformance {
    static let contentChecks: [Check] = [
        Check("returns the bytes that were stored") { subject in
            let bytes = subject.bytes(10_000)
            let file = try await subject.upload("a.bin", bytes)
            try subject.expect(file.name, equals: try subject.name("a.bin"), "the name")
            try subject.expect(file.byteCount, equals: 10_000, "the byte count")
            try await subject.expectContents(file.name, bytes)
        },
        Check("stores an empty file") { subject in
            let file = try await subject.upload("empty.bin", ByteBuffer())
            try subject.expect(file.byteCount, equals: 0, "the byte count")
            try subject.expect(try await subject.storage.exists(file.name), "the empty file does not exist")
            try await subject.expectContents(file.name, ByteBuffer())
        },
        Check("stores an empty stream") { subject in
            let name = try subject.name("empty-stream.bin")
            let file = try await subject.storage.upload(.stream(ScriptedChunks { _ in nil }), to: name)
            try subject.expect(file.byteCount, equals: 0, "the byte count")
            try await subject.expectContents(name, ByteBuffer())
        },
        Check("reports the SHA-256 of what it stored, when it is wanted") { subject in
            // FIPS 180-4, the example of one block.
            let file = try await subject.upload("abc.txt", ByteBuffer(string: "abc"))
            try subject.expect(
                file.sha256Hex,
                equals: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "the SHA-256"
            )
            var options = UploadOptions()
            options.computesSHA256 = false
            let unhashed = try await subject.storage.upload(
                .string("abc"),
                to: subject.name("unhashed.txt"),
                options: options
            )
            try subject.expect(unhashed.sha256, equals: nil, "the SHA-256 that was not wanted")
            try await subject.expectContents(unhashed.name, ByteBuffer(string: "abc"))
        },
        Check("streams a large file of odd chunks both ways") { subject in
            let chunk = subject.bytes(70_001)
            let name = try subject.name("large.bin")
            let count = 60
            let file = try await subject.storage.upload(
                .stream(ScriptedChunks { $0 < count ? chunk : nil }, length: Int64(count * 70_001)),
                to: name
            )
            try subject.expect(file.byteCount, equals: Int64(count * 70_001), "the byte count")
            var offset = 0
            var expected = ByteBuffer()
            for try await part in try await subject.storage.open(name) {
                try subject.expect(part.readableBytes > 0, "an empty chunk was delivered")
                while expected.readableBytes < part.readableBytes { expected.writeImmutableBuffer(chunk) }
                let wanted = expected.readSlice(length: part.readableBytes)
                try subject.expect(wanted == part, "the bytes from \(offset) on differ")
                expected.discardReadBytes()
                offset += part.readableBytes
            }
            try subject.expect(offset, equals: count * 70_001, "the number of bytes read")
        },
        Check("stores a stream of unknown length with empty chunks in it") { subject in
            let name = try subject.name("unknown.bin")
            let part = subject.bytes(300_000)
            let file = try await subject.storage.upload(
                .stream(ScriptedChunks { $0 == 5 ? nil : $0 % 2 == 0 ? ByteBuffer() : part }),
                to: name
            )
            try subject.expect(file.byteCount, equals: 600_000, "the byte count")
            var expected = part
            var second = part
            expected.writeBuffer(&second)
            try await subject.expectContents(name, expected)
        },
        Check("stores a stream of very many very small chunks") { subject in
            let name = try subject.name("tiny.bin")
            let bytes = subject.bytes(300_000)
            let chunks = ScriptedChunks { number in
                let offset = number * 7
                guard offset < bytes.readableBytes else { return nil }
                return bytes.getSlice(at: offset, length: min(7, bytes.readableBytes - offset))
            }
            let file = try await subject.storage.upload(.stream(chunks), to: name)
            try subject.expect(file.byteCount, equals: 300_000, "the byte count")
            try await subject.expectContents(name, bytes)
        },
        Check("stores a file of the file system") { subject in
            let path = NSTemporaryDirectory() + "conformance-\(StorageName.timeOrderedID()).bin"
            let bytes = subject.bytes(600_000)
            try Data(bytes.readableBytesView).write(to: URL(fileURLWithPath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            let name = try subject.name("file.bin")
            let file = try await subject.storage.upload(.file(path), to: name)
            try subject.expect(file.byteCount, equals: 600_000, "the byte count")
            try await subject.expectContents(name, bytes)
        },
        Check("refuses to read contents a second time") { subject in
            let file = try await subject.upload("once.bin", subject.bytes(10))
            let contents = try await subject.storage.open(file.name)
            _ = try await contents.collect(upTo: 10)
            try await subject.expectError(.alreadyRead, doing: "a second reading") {
                try await contents.collect(upTo: 10)
            }
        },
        Check("collects no more than the limit") { subject in
            let file = try await subject.upload("limit.bin", subject.bytes(11))
            let contents = try await subject.storage.open(file.name)
            try await subject.expectError(.tooLarge, doing: "collecting 11 bytes with a limit of 10") {
                try await contents.collect(upTo: 10)
            }
        },
        Check("reports upload progress that only grows and ends at the size") { subject in
            let reports = Recorder<TransferProgress>()
            let options = UploadOptions(progress: { reports.append($0) })
            _ = try await subject.upload("progress.bin", subject.bytes(700_000), options)
            try subject.expectSteadyProgress(reports.values, to: 700_000)
        },
        Check("reports download progress that only grows and ends at the size") { subject in
            let file = try await subject.upload("progress.bin", subject.bytes(700_000))
            let reports = Recorder<TransferProgress>()
            let options = OpenOptions(progress: { reports.append($0) })
            _ = try await subject.storage.open(file.name, options: options).collect(upTo: 700_000)
            try subject.expectSteadyProgress(reports.values, to: 700_000)
        },
        Check("stops a download whose task is cancelled") { subject in
            let file = try await subject.upload("cancelled.bin", subject.bytes(2_000_000))
            let contents = try await subject.storage.open(file.name)
            let task = Task {
                var count = 0
                for try await chunk in contents {
                    count += chunk.readableBytes
                    withUnsafeCurrentTask { $0?.cancel() }
                }
                return count
            }
            do {
                let count = try await task.value
                // A storage may deliver everything in one chunk, then there is nothing left to stop.
                try subject.expect(count <= 262_144, "\(count) bytes were delivered after the cancellation")
            } catch is CancellationError {
                return
            }
        },
    ]
}

extension ConformanceSubject {
    fileprivate func expectSteadyProgress(_ reports: [TransferProgress], to total: Int64) throws {
        try expect(!reports.isEmpty, "no progress was reported")
        var last: Int64 = 0
        for report in reports {
            try expect(report.completedBytes >= last, "the progress went back from \(last) to \(report.completedBytes)")
            try expect(report.totalBytes ?? total == total, "the total is \(String(describing: report.totalBytes))")
            last = report.completedBytes
        }
        try expect(last, equals: total, "the last progress")
    }
}
