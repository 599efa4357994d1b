import Foundation
import NIOCore
import Platform
import Storages
import StoragesS3
import TestSupport
import Testing

@testable import StoredFilesTesting

@Suite("Temporary S3 servers")
struct TemporaryS3Tests {
    private static let settings: [(TemporaryS3.Kind, Bool)] = [
        TemporaryS3.Kind.openStackSwift, .rclone, .seaweedFS,
    ].flatMap { [($0, false), ($0, true)] }

    /// Signs a request with the script that makes buckets, for another address or authority than the server's own.
    private func ask(
        _ server: TemporaryS3,
        url: String? = nil,
        secret: String? = nil,
        caFile: String? = nil,
        making buckets: [String] = []
    ) async throws -> Int32 {
        let command = [
            server.programs.python, server.path(of: .makeBuckets), url ?? server.url, server.region, server.accessKeyID,
            secret ?? server.secretAccessKey, caFile ?? server.caFile ?? "-", "0",
        ]
        return try await ChildProcess.run(command + buckets, in: server.directory)
    }

    private func isGone(_ process: ServerProcess) -> Bool {
        process.endStatus != nil && kill(-process.pid, 0) != 0
    }

    @Test("A temporary server accepts signed requests only and is gone after it stops", arguments: settings)
    func signatures(kind: TemporaryS3.Kind, tls: Bool) async throws {
        let server = try await TemporaryS3.start(kind, tls: tls, buckets: ["first-bucket"])
        #expect(server.url == "\(tls ? "https" : "http")://127.0.0.1:\(server.port)")
        #expect(try await ask(server) == 0)
        #expect(try await ask(server, secret: "another") != 0)
        // Both names are taken.
        let made = try await server.makeBucket()
        for name in ["first-bucket", made] {
            let error = await #expect(throws: TemporaryServerError.self) { try await server.makeBucket(named: name) }
            #expect(error?.code == .setupFailed)
            #expect(error?.message.contains("409") == true)
        }
        if !tls {
            let outcome = try await RawConnection.exchange(
                with: server.port,
                sending: [RawConnection.request("GET", "/first-bucket", closes: true)]
            )
            // OpenStack Swift takes it for a request in its own language, and finds it malformed.
            #expect(try 400..<500 ~= #require(outcome.status), "\(outcome.text)")
        }

        let process = try #require(server.process)
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: server.directory))
        #expect(try await eventually { isGone(process) })
        #expect(!LoopbackPort.isOpen(server.port))
        await server.stop()
        let error = await #expect(throws: TemporaryServerError.self) { try await server.makeBucket() }
        #expect(error?.code == .stopped)
    }

    @Test(
        "The certificate of a temporary server is trusted through its own authority only",
        arguments: TemporaryS3.Kind.allCases
    )
    func trust(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.shared(kind, tls: true)
        let other = try await TemporaryS3.start(.rclone, tls: true)
        #expect(try await ask(server) == 0)
        #expect(try await ask(server, url: "https://localhost:\(server.port)") == 0)
        #expect(try await ask(server, caFile: other.caFile) != 0)
        await other.stop()
    }

    @Test(
        "A temporary server accepts requests that were signed for a proxy before it",
        arguments: TemporaryS3.Kind.allCases
    )
    func proxies(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.shared(kind)
        try await FaultProxy.with(upstream: (server.host, server.port)) { proxy async throws in
            let name = "through-a-proxy-\(proxy.port)"
            #expect(try await ask(server, url: "http://\(proxy.endpoint)", making: [name]) == 0)
            #expect(proxy.requests.map(\.method) == ["PUT"])
            #expect(proxy.requests.first?["host"] == proxy.endpoint)
            // moto makes a bucket twice, as Amazon S3 does in its first region.
            guard kind != .moto else { return }
            await #expect(throws: TemporaryServerError.self) { try await server.makeBucket(named: name) }
        }
    }

    @Test(
        "A killed temporary server restarts on its port, and those with files keep their buckets",
        arguments: TemporaryS3.Kind.allCases
    )
    func kills(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.start(kind, buckets: ["kept-bucket"])
        let (port, process) = (server.port, try #require(server.process))
        try await server.kill()
        #expect(process.endStatus == 128 + SIGKILL)
        #expect(try await eventually { isGone(process) })
        #expect(!LoopbackPort.isOpen(port))
        let error = await #expect(throws: TemporaryServerError.self) { try await server.kill() }
        #expect(error?.code == .stopFailed)

        try await server.restart()
        #expect(server.port == port)
        if kind == .rclone || kind == .moto {
            _ = try await server.makeBucket(named: "kept-bucket")
        } else {
            await #expect(throws: TemporaryServerError.self) { try await server.makeBucket(named: "kept-bucket") }
        }
        await server.stop()
    }

    @Test(
        "A temporary server keeps its objects after a kill and after a restart",
        arguments: [TemporaryS3.Kind.openStackSwift, .seaweedFS],
        [false, true]
    )
    func data(kind: TemporaryS3.Kind, tls: Bool) async throws {
        let server = try await TemporaryS3.start(kind, tls: tls)
        let storage = try S3World(server: server, bucket: try await server.makeBucket()).storage()
        var names: [StorageName] = []
        for round in 0..<3 {
            for name in names {
                let contents = try await storage.open(name).collect(upTo: 100)
                #expect(contents == ByteBuffer(string: "contents of \(name)"))
            }
            let name = try StorageName(validating: "round-\(round).txt")
            _ = try await storage.upload(.string("contents of \(name)"), to: name, options: .init(ifExists: .replace))
            names.append(name)
            if round == 0 { try await server.kill() }
            try await server.restart()
        }
        #expect(try await storage.listedKeys(prefix: "").sorted() == names.map(\.string))
        await server.stop()
    }

    @Test("Two temporary servers of a kind run side by side with separate data", arguments: TemporaryS3.Kind.allCases)
    func pairs(kind: TemporaryS3.Kind) async throws {
        async let first = TemporaryS3.start(kind, buckets: ["same-name"])
        async let second = TemporaryS3.start(kind, buckets: ["same-name"])
        let servers = try await [first, second]
        #expect(servers[0].port != servers[1].port)
        #expect(servers[0].secretAccessKey != servers[1].secretAccessKey)
        let name = try StorageName(validating: "a.txt")
        for server in servers {
            let storage = try S3World(server: server, bucket: "same-name").storage()
            #expect(try await storage.exists(name) == false)
            _ = try await storage.upload(.string("x"), to: name, options: .init(ifExists: .replace))
        }
        // moto does not look at who asks.
        #expect(try await ask(servers[0], url: servers[1].url) != 0 || kind == .moto)
        for server in servers { await server.stop() }
    }

    @Test("A temporary server removes what SeaweedFS leaves outside its directory", arguments: [false, true])
    func sockets(isStopped: Bool) async throws {
        let server = try await TemporaryS3.start(.seaweedFS)
        let outside = try String(contentsOfFile: "\(server.directory)/\(ServerWatchdog.outsideFile)", encoding: .utf8)
        let sockets = outside.split(separator: "\n").map(String.init)
        #expect(sockets.count == 4)
        #expect(sockets.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        if isStopped {
            await server.stop()
        } else {
            server.watchdog.release()
        }
        #expect(try await eventually { sockets.allSatisfy { !FileManager.default.fileExists(atPath: $0) } })
        await server.stop()
    }

    @Test(
        "A temporary server does not make a bucket because of an upload",
        arguments: [TemporaryS3.Kind.openStackSwift, .seaweedFS]
    )
    func missingBuckets(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.shared(kind)
        let storage = try S3World(server: server, bucket: "nobody-made-it").storage()
        let name = try StorageName(validating: "a.txt")
        let error = await storageError {
            try await storage.upload(.string("x"), to: name, options: .init(ifExists: .replace))
        }
        #expect(error != nil)
    }

    @Test("Twenty free ports of this machine are all different")
    func ports() throws {
        let ports = try #require(LoopbackPort.free(20))
        #expect(Set(ports).count == 20)
        #expect(ports.allSatisfy { (20_000..<32_000).contains($0) && !LoopbackPort.isOpen($0) })
    }

    @Test(
        "A temporary server leaves nothing when the process that started it dies",
        arguments: TemporaryS3.Kind.allCases
    )
    func crashes(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.start(kind)
        let process = try #require(server.process)
        // What the system does with the pipe of a process that was killed; nothing else of ours runs.
        server.watchdog.release()
        #expect(try await eventually { !FileManager.default.fileExists(atPath: server.directory) })
        #expect(try await eventually { isGone(process) })
        await server.stop()
    }

    @Test("A temporary server stops by itself when nothing refers to it", arguments: TemporaryS3.Kind.allCases)
    func deinitializes(kind: TemporaryS3.Kind) async throws {
        func start() async throws -> (String, Int) {
            let server = try await TemporaryS3.start(kind)
            return (server.directory, server.port)
        }
        let (directory, port) = try await start()
        #expect(
            try await eventually { !FileManager.default.fileExists(atPath: directory) && !LoopbackPort.isOpen(port) }
        )
    }

    @Test("All processes of a temporary server end with the one that they were forked from")
    func forks() async throws {
        let server = try await TemporaryS3.start(.openStackSwift)
        let process = try #require(server.process)
        kill(process.pid, SIGKILL)
        #expect(try await eventually { isGone(process) })
        await server.stop()
    }

    @Test("All tests of a process share a temporary server")
    func shares() async throws {
        async let first = TemporaryS3.shared(.rclone)
        async let second = TemporaryS3.shared(.rclone)
        #expect(try await first === second)
        let server = try await first
        async let one = server.makeBucket()
        async let other = server.makeBucket()
        #expect(try await one != other)
    }

    @Test("The error about missing server programs says how to get them")
    func missing() throws {
        for (environment, folder) in [([:], "/"), (["STORED_FILES_S3_SERVERS": "/nonexistent"], ".")] {
            let error = #expect(throws: TemporaryServerError.self) {
                try S3Programs.find(environment: environment, from: [folder])
            }
            #expect(error?.code == .serverNotInstalled)
            #expect(error?.message.contains("Scripts/s3-servers") == true)
        }
    }

    @Test("A temporary server that does not start shows its log and leaves nothing")
    func failures() async throws {
        let parent = "/tmp/sfs3-parent-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        // Finds no file that is named like the port.
        let broken = "/bin/ls"
        let error = await #expect(throws: TemporaryServerError.self) {
            try await TemporaryS3.start(
                .openStackSwift,
                tls: false,
                in: parent,
                programs: S3Programs(python: broken, rclone: broken, weed: broken, moto: broken)
            )
        }
        #expect(error?.code == .startFailed)
        #expect(error?.message.contains("ended with status") == true)
        #expect(error?.message.contains("No such file or directory") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == [])
    }

    @Test(
        "A temporary server whose start is cancelled leaves nothing",
        arguments: [TemporaryS3.Kind.openStackSwift, .seaweedFS]
    )
    func cancellation(kind: TemporaryS3.Kind) async throws {
        let parent = "/tmp/sfs3-parent-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let start = Task { try await TemporaryS3.start(kind, in: parent) }
        #expect(
            try await eventually { (try? FileManager.default.contentsOfDirectory(atPath: parent))?.isEmpty == false }
        )
        start.cancel()
        await #expect(throws: CancellationError.self) { try await start.value }
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == [])
    }
}
