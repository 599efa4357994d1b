import Foundation
import NIOCore
import Storages
import StoragesS3
import TestSupport
import Testing

@testable import StoredFilesTesting

@Suite("Temporary S3 servers")
struct TemporaryS3Tests {
    private static let settings: [(TemporaryS3.Kind, Bool)] = TemporaryS3.Kind.allCases.flatMap {
        [($0, false), ($0, true)]
    }

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

    @Test("take signed requests only, and are gone after stop", arguments: settings)
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

    @Test("have a certificate that only their own authority vouches for", arguments: TemporaryS3.Kind.allCases)
    func trust(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.shared(kind, tls: true)
        let other = try await TemporaryS3.start(.rclone, tls: true)
        #expect(try await ask(server) == 0)
        #expect(try await ask(server, url: "https://localhost:\(server.port)") == 0)
        #expect(try await ask(server, caFile: other.caFile) != 0)
        await other.stop()
    }

    @Test("accept what was signed for a proxy before them", arguments: TemporaryS3.Kind.allCases)
    func proxies(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.shared(kind)
        try await FaultProxy.with(upstream: (server.host, server.port)) { proxy async throws in
            let name = "through-a-proxy-\(proxy.port)"
            #expect(try await ask(server, url: "http://\(proxy.endpoint)", making: [name]) == 0)
            #expect(proxy.requests.map(\.method) == ["PUT"])
            #expect(proxy.requests.first?["host"] == proxy.endpoint)
            await #expect(throws: TemporaryServerError.self) { try await server.makeBucket(named: name) }
        }
    }

    @Test(
        "come back on the same port after a kill, all but rclone with their buckets",
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
        if kind == .rclone {
            _ = try await server.makeBucket(named: "kept-bucket")
        } else {
            await #expect(throws: TemporaryServerError.self) { try await server.makeBucket(named: "kept-bucket") }
        }
        await server.stop()
    }

    @Test(
        "have every object again after a kill, and after a restart as they run",
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

    @Test("run beside each other, each with data of its own", arguments: TemporaryS3.Kind.allCases)
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
        #expect(try await ask(servers[0], url: servers[1].url) != 0)
        for server in servers { await server.stop() }
    }

    @Test("clear up what SeaweedFS leaves outside its directory", arguments: [false, true])
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
        "make no bucket because somebody writes to it",
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

    @Test("get as many ports as they want, all different")
    func ports() throws {
        let ports = try #require(LoopbackPort.free(20))
        #expect(Set(ports).count == 20)
        #expect(ports.allSatisfy { (20_000..<32_000).contains($0) && !LoopbackPort.isOpen($0) })
    }

    @Test("leave nothing when the process that started them dies", arguments: TemporaryS3.Kind.allCases)
    func crashes(kind: TemporaryS3.Kind) async throws {
        let server = try await TemporaryS3.start(kind)
        let process = try #require(server.process)
        // What the system does with the pipe of a process that was killed; nothing else of ours runs.
        server.watchdog.release()
        #expect(try await eventually { !FileManager.default.fileExists(atPath: server.directory) })
        #expect(try await eventually { isGone(process) })
        await server.stop()
    }

    @Test("go by themselves when nobody holds them", arguments: TemporaryS3.Kind.allCases)
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

    @Test("end with the process that others were forked from")
    func forks() async throws {
        let server = try await TemporaryS3.start(.openStackSwift)
        let process = try #require(server.process)
        kill(process.pid, SIGKILL)
        #expect(try await eventually { isGone(process) })
        await server.stop()
    }

    @Test("are shared by all tests of a process")
    func shares() async throws {
        async let first = TemporaryS3.shared(.rclone)
        async let second = TemporaryS3.shared(.rclone)
        #expect(try await first === second)
        let server = try await first
        async let one = server.makeBucket()
        async let other = server.makeBucket()
        #expect(try await one != other)
    }

    @Test("are not started when the programs are missing; the error says how to get them")
    func missing() throws {
        for (environment, folder) in [([:], "/"), (["STORED_FILES_S3_SERVERS": "/nonexistent"], ".")] {
            let error = #expect(throws: TemporaryServerError.self) {
                try S3Programs.find(environment: environment, from: [folder])
            }
            #expect(error?.code == .serverNotInstalled)
            #expect(error?.message.contains("Scripts/s3-servers") == true)
        }
    }

    @Test("that do not start show their log and leave nothing")
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
                programs: S3Programs(python: broken, rclone: broken, weed: broken)
            )
        }
        #expect(error?.code == .startFailed)
        #expect(error?.message.contains("ended with status") == true)
        #expect(error?.message.contains("No such file or directory") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == [])
    }

    @Test(
        "that are not wanted any more while they start leave nothing",
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
