import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Races of 32 writers for a name", .timeLimit(.minutes(10)), .serialized)
struct ConditionRaceTests {
    /// A server, what is said of it, and whether the bucket keeps versions.
    struct Scene: Hashable, Sendable, CustomTestStringConvertible {
        var server: S3World.Server
        var isNamed: Bool
        var keepsVersions = false

        var testDescription: String {
            "\(server.testDescription)\(isNamed ? "" : ", not named")\(keepsVersions ? ", with versions" : "")"
        }

        fileprivate func makeStorage() async throws -> S3Storage {
            let storage = try await S3World.make(server).storage {
                if !isNamed || server == .swift { $0.server = .generic }
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            if keepsVersions { try await storage.keepVersions() }
            return storage
        }
    }

    static let scenes = [
        Scene(server: .seaweed, isNamed: true), Scene(server: .seaweed, isNamed: false),
        Scene(server: .seaweed, isNamed: true, keepsVersions: true),
        Scene(server: .seaweed, isNamed: false, keepsVersions: true),
        Scene(server: .rclone, isNamed: true), Scene(server: .rclone, isNamed: false),
        Scene(server: .swift, isNamed: false), Scene(server: .swift, isNamed: false, keepsVersions: true),
    ]

    /// One storage for each scene: finding out what a server does takes longer than a race.
    private actor Storages {
        private var tasks: [Scene: Task<S3Storage, any Error>] = [:]

        func storage(_ scene: Scene) async throws -> S3Storage {
            let task = tasks[scene] ?? Task { try await scene.makeStorage() }
            tasks[scene] = task
            return try await task.value
        }
    }

    private static let storages = Storages()
    private static let count = 32
    private static let sizes = [3, (5 << 20) + 1]

    private func body(_ number: Int, _ size: Int) -> CountedSource {
        CountedSource(bytes: ByteBuffer(repeating: UInt8(number), count: size))
    }

    /// Has 32 do something at the same time.
    ///
    /// - Returns: What those got who were not told an error, and the codes of the others.
    private func race<Value: Sendable>(
        _ write: @escaping @Sendable (Int) async throws -> Value
    ) async -> (winners: [(number: Int, value: Value)], codes: Set<StorageError.Code>) {
        await withTaskGroup(of: (Int, Result<Value, StorageError>?).self) { group in
            for number in 0..<Self.count {
                group.addTask {
                    do {
                        return (number, .success(try await write(number)))
                    } catch let error as StorageError {
                        return (number, .failure(error))
                    } catch {
                        Issue.record(error)
                        return (number, nil)
                    }
                }
            }
            var winners: [(number: Int, value: Value)] = []
            var codes: Set<StorageError.Code> = []
            for await (number, result) in group {
                switch result {
                case .success(let value): winners.append((number, value))
                case .failure(let error): codes.insert(error.code)
                case nil: break
                }
            }
            return (winners, codes)
        }
    }

    @Test(
        "Exactly one of 32 uploads to a free name wins, or all are refused before a byte is read",
        arguments: scenes,
        sizes
    )
    func fail(scene: Scene, size: Int) async throws {
        let storage = try await Self.storages.storage(scene)
        let name = StorageName.unique()
        let bodies = (0..<Self.count).map { body($0, size) }
        let (winners, codes) = await race { number in
            try await storage.upload(
                .stream(bodies[number], length: Int64(size)),
                to: name,
                options: UploadOptions(ifExists: .fail)
            )
        }
        if codes == [.unsupported] {
            #expect(winners.isEmpty)
            #expect(bodies.allSatisfy { $0.reads.value == 0 })
            #expect(try await storage.listedKeys(prefix: name.string).isEmpty)
        } else {
            #expect(codes == [.alreadyExists])
            #expect(winners.count == 1)
            let contents = try await storage.open(name).collect(upTo: size)
            #expect(winners.map { bodies[$0.number].bytes } == [contents])
        }
    }

    @Test("32 uploads to one name that may be renamed never overwrite each other", arguments: scenes, sizes)
    func rename(scene: Scene, size: Int) async throws {
        let storage = try await Self.storages.storage(scene)
        let name = StorageName.unique()
        let (winners, codes) = await race { number in
            try await storage.upload(.stream(body(number, size), length: Int64(size)), to: name).name
        }
        // Elsewhere names are looked at first, which can race, and nobody says otherwise.
        guard storage.capabilities.contains(.conditionalUpload) else { return }
        // An upload in parts that another one has overtaken cannot take another name any more.
        #expect(codes.isEmpty || codes == [.alreadyExists] && size > 5 << 20)
        #expect(Set(winners.map(\.value)).count == winners.count)
        for (number, name) in winners {
            let first = try await storage.open(name, options: OpenOptions(range: .first(1))).collect(upTo: 1)
            #expect(first == ByteBuffer(repeating: UInt8(number), count: 1))
        }
    }

    @Test(
        "Exactly one of 32 replacements of a version wins, or all are refused before a byte is read",
        arguments: scenes,
        sizes
    )
    func replace(scene: Scene, size: Int) async throws {
        let storage = try await Self.storages.storage(scene)
        let name = StorageName.unique()
        let old = try await storage.upload(.string("old"), to: name, options: UploadOptions(ifExists: .replace))
        let tag = try #require(old.entityTag)
        let bodies = (0..<Self.count).map { body($0, size) }
        let (winners, codes) = await race { number in
            try await storage.replace(name, ifMatch: tag, with: .stream(bodies[number], length: Int64(size)))
        }
        let contents = try await storage.open(name).collect(upTo: size)
        if codes == [.unsupported] {
            #expect(winners.isEmpty)
            #expect(bodies.allSatisfy { $0.reads.value == 0 })
            #expect(contents == ByteBuffer(string: "old"))
        } else {
            #expect(codes == [.preconditionFailed])
            #expect(winners.count == 1)
            #expect(winners.map { bodies[$0.number].bytes } == [contents])
        }
    }
}
