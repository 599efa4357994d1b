import NIOCore
import Storages

extension StorageConformance {
    static let failureChecks: [Check] = [
        Check("stores nothing when the source fails half-way, and says why") { subject in
            let chunk = subject.bytes(300_000)
            let error = try await subject.expectError(.sourceFailed, doing: "an upload whose source fails") {
                try await subject.storage.upload(
                    .stream(ScriptedChunks { if $0 < 3 { chunk } else { throw ScriptedFailure(number: 7) } }),
                    to: try subject.name("failed.bin")
                )
            }
            try subject.expect(error.underlying as? ScriptedFailure, equals: ScriptedFailure(number: 7), "the cause")
            try await subject.expectNothingStored()
        },
        Check("keeps the old file when the source of its replacement fails") { subject in
            let old = try await subject.upload("kept.bin", ByteBuffer(string: "old"))
            let chunk = subject.bytes(300_000)
            try await subject.expectError(.sourceFailed, doing: "a replacement whose source fails") {
                try await subject.storage.upload(
                    .stream(ScriptedChunks { if $0 < 3 { chunk } else { throw ScriptedFailure(number: 7) } }),
                    to: old.name,
                    options: UploadOptions(ifExists: .replace)
                )
            }
            try await subject.expectContents(old.name, ByteBuffer(string: "old"))
            try subject.expect(try await subject.names(), equals: [old.name], "the names")
        },
        Check("stores nothing when the source is shorter than it announced") { subject in
            let chunk = subject.bytes(300_000)
            try await subject.expectError(.sourceFailed, doing: "an upload that ends too soon") {
                try await subject.storage.upload(
                    .stream(ScriptedChunks { $0 < 2 ? chunk : nil }, length: 600_001),
                    to: try subject.name("short.bin")
                )
            }
            try await subject.expectNothingStored()
        },
        Check("stores nothing when the source is longer than it announced") { subject in
            let chunk = subject.bytes(300_000)
            try await subject.expectError(.sourceFailed, doing: "an upload that does not end") {
                try await subject.storage.upload(
                    .stream(ScriptedChunks { $0 < 2 ? chunk : nil }, length: 599_999),
                    to: try subject.name("long.bin")
                )
            }
            try await subject.expectNothingStored()
        },
        Check("stores nothing when the file to upload does not exist") { subject in
            try await subject.expectError(.sourceFailed, doing: "an upload of a missing file") {
                try await subject.storage.upload(.file("/nonexistent/file.bin"), to: try subject.name("missing.bin"))
            }
            try await subject.expectNothingStored()
        },
        Check("stores nothing when a tap throws, and throws the same error") { subject in
            let calls = Recorder<Int>()
            let options = UploadOptions(
                tap: { chunk in
                    calls.append(chunk.readableBytes)
                    if calls.values.count == 2 { throw ScriptedFailure(number: 9) }
                }
            )
            do {
                _ = try await subject.upload("tapped.bin", subject.bytes(1_000_000), options)
                throw ConformanceFailure(check: subject.check, message: "the upload succeeded")
            } catch let error as ScriptedFailure {
                try subject.expect(error, equals: ScriptedFailure(number: 9), "the error")
            }
            try subject.expect(calls.values.count, equals: 2, "the number of chunks the tap saw")
            try await subject.expectNothingStored()
        },
        Check("stores nothing of a body over the limit") { subject in
            try await subject.expectError(.tooLarge, doing: "an upload of 1001 bytes with a limit of 1000") {
                try await subject.upload("large.bin", subject.bytes(1001), UploadOptions(maxBytes: 1000))
            }
            try await subject.expectNothingStored()
        },
        Check("stops reading an endless stream at the limit") { subject in
            let chunk = subject.bytes(100_000)
            let asked = Recorder<Int>()
            let endless = ScriptedChunks { number in
                asked.append(number)
                return chunk
            }
            try await subject.expectError(.tooLarge, doing: "an endless upload with a limit") {
                try await subject.storage.upload(
                    .stream(endless),
                    to: try subject.name("endless.bin"),
                    options: UploadOptions(maxBytes: 1_000_000)
                )
            }
            try subject.expect(asked.values.count <= 11, "\(asked.values.count) chunks were read, 11 pass the limit")
            try await subject.expectNothingStored()
        },
        Check("stores nothing when the task is cancelled during an upload") { subject in
            let chunk = subject.bytes(300_000)
            let (started, signal) = AsyncStream<Void>.makeStream()
            let name = try subject.name("cancelled.bin")
            let task = Task {
                try await subject.storage.upload(
                    .stream(
                        ScriptedChunks { number in
                            guard number >= 3 else { return chunk }
                            signal.finish()
                            try await Task.sleep(for: .seconds(60))
                            return chunk
                        }
                    ),
                    to: name
                )
            }
            for await _ in started {}
            task.cancel()
            try await subject.expectCancelled(task)
            try await subject.expectNothingStored()
        },
        Check("stores nothing when the task was cancelled before") { subject in
            let name = try subject.name("cancelled.bin")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await subject.storage.upload(.string("late"), to: name)
            }
            try await subject.expectCancelled(task)
            try await subject.expectNothingStored()
        },
    ]
}

extension ConformanceSubject {
    func expectCancelled(_ task: Task<UploadedFile, any Error>) async throws {
        do {
            let file = try await task.value
            throw ConformanceFailure(check: check, message: "\(file.name) was stored by a cancelled task")
        } catch is CancellationError {
            return
        }
    }
}
