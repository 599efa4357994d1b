import NIOCore
import Storages

/// A storage under check, and what the checks need to say what they expect.
struct ConformanceSubject: Sendable {
    let storage: any Storage
    let check: String
    /// The directory of this run.
    let directory: String

    init(storage: any Storage, check: String) {
        self.storage = storage
        self.check = check
        directory = "conformance-\(StorageName.timeOrderedID())"
    }

    /// The code of the error that a write to a taken name with ``IfExists/fail`` throws.
    var refusal: StorageError.Code {
        storage.capabilities.contains(.conditionalUpload) ? .alreadyExists : .unsupported
    }

    /// Writes that take no name that is taken, where the storage can do that.
    var careful: UploadOptions {
        UploadOptions(ifExists: storage.capabilities.contains(.conditionalUpload) ? .fail : .replace)
    }

    func name(_ path: String) throws -> StorageName {
        try StorageName(validating: "\(directory)/\(path)")
    }

    /// Bytes that differ at every offset within a period that no chunk size divides.
    func bytes(_ count: Int, seed: UInt8 = 0) -> ByteBuffer {
        // Written a period at a time: byte by byte takes seconds in debug builds.
        let period = (0..<251).map { UInt8(truncatingIfNeeded: $0) &+ seed }
        var buffer = ByteBufferAllocator().buffer(capacity: count + period.count)
        while buffer.readableBytes < count { buffer.writeBytes(period) }
        return buffer.readSlice(length: count) ?? ByteBuffer()
    }

    func upload(
        _ path: String,
        _ contents: ByteBuffer,
        _ options: UploadOptions = UploadOptions()
    ) async throws -> UploadedFile {
        try await storage.upload(.buffer(contents), to: try name(path), options: options)
    }

    func contents(_ name: StorageName, range: ByteRange? = nil) async throws -> ByteBuffer {
        try await storage.open(name, range: range).collect(upTo: 64 * 1024 * 1024)
    }

    func names(prefix: String = "") async throws -> [StorageName] {
        var names: [StorageName] = []
        for try await file in storage.list(prefix: "\(directory)/\(prefix)") { names.append(file.name) }
        return names
    }

    func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        guard condition else { throw ConformanceFailure(check: check, message: message()) }
    }

    func expect<Value: Equatable>(_ value: Value, equals expected: Value, _ what: String) throws {
        try expect(value == expected, "\(what) is \(value), expected \(expected)")
    }

    func expectContents(_ name: StorageName, _ expected: ByteBuffer) async throws {
        let found = try await contents(name)
        try expect(
            found == expected,
            "\(name) has \(found.readableBytes) bytes that differ from the \(expected.readableBytes) stored"
        )
    }

    func expectNothingStored() async throws {
        let left = try await names()
        try expect(left.isEmpty, "\(left) exist, although nothing should")
    }

    @discardableResult
    func expectError<Value>(
        _ codes: StorageError.Code...,
        doing what: String,
        _ work: () async throws -> Value
    ) async throws -> StorageError {
        do {
            _ = try await work()
        } catch let error as StorageError {
            try expect(codes.contains(error.code), "\(what) threw \(error), expected \(codes)")
            try expect(!error.message.isEmpty, "\(what) threw an error without a message")
            return error
        } catch {
            throw ConformanceFailure(check: check, message: "\(what) threw \(error), expected a StorageError \(codes)")
        }
        throw ConformanceFailure(check: check, message: "\(what) succeeded, expected \(codes)")
    }

    /// Clears up; what fails here has been reported by the check already, or does not concern it.
    func removeEverything() async {
        guard let left = try? await names(), !left.isEmpty else { return }
        _ = try? await storage.delete(left)
    }
}

/// The error that a scripted source throws.
struct ScriptedFailure: Error, Equatable {
    let number: Int
}

/// A sequence of buffers that a closure makes one by one.
struct ScriptedChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// Gets the number of the chunk, from 0; `nil` ends.
    let make: @Sendable (Int) async throws -> ByteBuffer?

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(make: make)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let make: @Sendable (Int) async throws -> ByteBuffer?
        var number = 0

        mutating func next() async throws -> ByteBuffer? {
            defer { number += 1 }
            return try await make(number)
        }
    }
}
