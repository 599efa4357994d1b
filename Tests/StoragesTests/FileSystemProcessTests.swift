import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

#if os(Linux)
    /// Tests that need a process of their own: its memory, its limits, its user, its violent end.
    @Suite("FileSystemStorage: processes")
    struct FileSystemProcessTests {
        let fixture: FileSystemFixture

        init() throws {
            fixture = try FileSystemFixture()
        }

        @Test(
            "Storing and reading 1 GiB takes less than 32 MiB of memory",
            .disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")
        )
        func streamsAGibibyte() async throws {
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root, durability: .none)
                let name = try StorageName(validating: "large")
                // Warm: the pool's threads, the hash, the allocator's arenas.
                _ = try await storage.upload(.stream(PatternSource(byteCount: 1 << 24)), to: name, options: .init())
                for try await _ in try await storage.open(name) {}
                _ = try await storage.delete([name])

                let before = try residentMemory()
                let byteCount: Int64 = 1 << 30
                let source = PatternSource(byteCount: byteCount)
                let file = try await storage.upload(
                    .stream(source, length: byteCount),
                    to: name,
                    options: UploadOptions(
                        progress: { report in
                            guard report.completedBytes % (1 << 26) == 0 else { return }
                            #expect(((try? residentMemory()) ?? .max) - before < 32 << 20)
                        }
                    )
                )
                #expect(file.byteCount == byteCount)

                var expected = source.makeAsyncIterator()
                var position: Int64 = 0
                for try await chunk in try await storage.open(name) {
                    try #require(await expected.next() == chunk, "bytes from \(position) differ")
                    position += Int64(chunk.readableBytes)
                    if position % (1 << 26) == 0 { #expect(try residentMemory() - before < 32 << 20) }
                }
                #expect(position == byteCount)
            }
        }

        @Test(
            "Uploads of many small chunks and of large files never take more than 32 MiB of memory",
            .disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")
        )
        func peakMemory() async throws {
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root, durability: .none)
                let (small, large) = (try StorageName(validating: "small"), try StorageName(validating: "large"))
                let warm = PatternSource(byteCount: 1 << 24)
                _ = try await storage.upload(.stream(warm), to: large, options: .init(ifExists: .replace))
                _ = try await storage.upload(.file(root + "/large"), to: small, options: .init(ifExists: .replace))

                let limit = try residentMemory() + 32 << 20
                // So that VmHWM begins anew (proc(5)).
                try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
                for (size, count) in [(1, Int64(1) << 20), (1000, 1 << 28)] {
                    let source = PatternSource(byteCount: count, chunkSize: size)
                    let file = try await storage.upload(.stream(source), to: small, options: .init(ifExists: .replace))
                    #expect(file.byteCount == count)
                }
                #expect(try peakResidentMemory() < limit, "small pieces")
                let source = PatternSource(byteCount: 1 << 30)
                let original = try await storage.upload(.stream(source), to: large, options: .init(ifExists: .replace))
                let (_, body) = try await UploadBody.file(root + "/large").peeking(at: 100)
                let copy = try await storage.upload(body, to: small, options: .init(ifExists: .replace))
                #expect(copy.sha256 == original.sha256)
                #expect(try peakResidentMemory() < limit, "a file")
            }
        }

        @Test("An upload that fails without free file descriptors still removes its hidden file")
        func discardsWithoutDescriptors() async throws {
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root, durability: .none)
                let source = PatternSource(
                    byteCount: 2_000_000,
                    failsAt: 1_500_000,
                    onChunk: { position in
                        guard position > 1_000_000 else { return }
                        var limit = rlimit(rlim_cur: 64, rlim_max: 64)
                        try #require(setrlimit(__rlimit_resource_t(7), &limit) == 0)
                        while dup(0) >= 0 {}
                    }
                )
                let code = await storageErrorCode {
                    let options = UploadOptions(ifExists: .replace)
                    _ = try await storage.upload(.stream(source), to: StorageName(validating: "a"), options: options)
                }
                #expect(code == .sourceFailed)
                // The duplicates took the last free numbers.
                for number in Int32(48)..<64 { close(number) }
                #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/.stored-files-tmp").isEmpty)
            }
        }

        @Test("No file descriptor stays open after operations that succeed or fail")
        func closesDescriptors() async throws {
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root, durability: .none)
                var before = Int.max
                for round in 0..<30 {
                    for mode in [IfExists.fail, .rename, .replace] {
                        let source = PatternSource(byteCount: 600_000, failsAt: round % 2 == 0 ? 300_000 : nil)
                        let name = try StorageName(validating: "d\(round)/\(mode)")
                        _ = try? await storage.upload(.stream(source), to: name, options: .init(ifExists: mode))
                        if let contents = try? await storage.open(name) {
                            var iterator = contents.makeAsyncIterator()
                            _ = try await iterator.next()
                        }
                        _ = try? await storage.open(name, options: .init(ifMatch: "none"))
                        _ = try? await storage.open(name, range: .from(1 << 40))
                        _ = try? await storage.copy(
                            name,
                            to: StorageName(validating: "copy"),
                            options: .init(ifExists: .fail)
                        )
                    }
                    var listing = storage.list(prefix: "").makeAsyncIterator()
                    _ = try await listing.next()
                    _ = try await storage.delete([
                        StorageName(validating: "d\(round)/replace"), StorageName(validating: "x"),
                    ])
                    if round == 2 {
                        try await Task.sleep(for: .milliseconds(100))
                        before = try openDescriptors()
                    }
                }
                // A thread of the pool may hold the last one a moment longer than the operation.
                #expect(try await eventually { try openDescriptors() <= before })
            }
        }

        @Test("An upload beyond the file size limit of the process is .tooLarge and leaves no file")
        func fileSizeLimit() async throws {
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root)
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: 500_000, rlim_max: .max)
                try #require(setrlimit(__rlimit_resource_t(1), &limit) == 0)
                for mode in [IfExists.fail, .rename, .replace] {
                    let code = await storageErrorCode {
                        _ = try await storage.upload(
                            .stream(PatternSource(byteCount: 1_000_000)),
                            to: StorageName(validating: "a/b"),
                            options: UploadOptions(ifExists: mode)
                        )
                    }
                    #expect(code == .tooLarge)
                }
                let left = try FileManager.default.subpathsOfDirectory(atPath: root)
                #expect(Set(left).subtracting([".stored-files-tmp"]).isEmpty)
            }
        }

        @Test("Operations without free file descriptors are .unavailable, and work again later")
        func descriptorLimit() async throws {
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root, durability: .none)
                try await storage.put("x", "a/b")
                var hogs: [Int32] = []
                var limit = rlimit(rlim_cur: 64, rlim_max: 64)
                try #require(setrlimit(__rlimit_resource_t(7), &limit) == 0)
                while true {
                    let hog = dup(0)
                    if hog < 0 { break }
                    hogs.append(hog)
                }
                let name = try StorageName(validating: "a/b")
                #expect(await storageErrorCode { _ = try await storage.open(name) } == .unavailable)
                #expect(await storageErrorCode { try await storage.put("y", "a/c") } == .unavailable)
                #expect(await storageErrorCode { _ = try await storage.names() } == .unavailable)
                #expect(try await storage.delete([name]).map(\.error.code) == [.unavailable])
                for hog in hogs { close(hog) }
                #expect(try await storage.text("a/b") == "x")
                #expect(try await storage.names() == ["a/b"])
            }
        }

        @Test("Operations without permission are refused, and an unwritable root can be read")
        func permissionDenied() async throws {
            let storage = try fixture.storage()
            try await storage.put("public", "open/a")
            try await storage.put("private", "closed/a")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fixture.path)
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: fixture.root)
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: fixture.root + "/open")
            try FileManager.default.setAttributes([.posixPermissions: 0o000], ofItemAtPath: fixture.root + "/closed")
            await #expect(processExitsWith: .success) { [root = fixture.root as String] in
                // Permissions do not bind the superuser: become nobody.
                if geteuid() == 0 { try #require(setgid(65_534) == 0 && setuid(65_534) == 0) }
                let storage = try FileSystemStorage(root: root)
                #expect(try await storage.text("open/a") == "public")
                let closed = try StorageName(validating: "closed/a")
                #expect(await storageErrorCode { _ = try await storage.open(closed) } == .permissionDenied)
                #expect(await storageErrorCode { _ = try await storage.info(for: closed) } == .permissionDenied)
                #expect(await storageErrorCode { _ = try await storage.names() } == .permissionDenied)
                #expect(try await storage.names("open/") == ["open/a"])
                for name in ["x", "open/x", "new/x", "closed/x"] {
                    for mode in [IfExists.fail, .rename, .replace] {
                        let code = await storageErrorCode { try await storage.put("x", name, ifExists: mode) }
                        #expect(code == .permissionDenied, "\(name) \(mode)")
                    }
                }
                let names = [closed, try StorageName(validating: "open/a")]
                #expect(try await storage.delete(names).map(\.error.code) == [.permissionDenied, .permissionDenied])
                #expect(throws: StorageError.self) { try FileSystemStorage(root: root + "/below") }
            }
            // So that the fixture can remove it.
            for path in ["", "/open", "/closed"] {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fixture.root + path)
            }
            #expect(try fixture.remains() == ["open/", "open/a", "closed/", "closed/a"])
        }

        @Test("A process that is killed during uploads leaves only hidden files, which are removed later")
        func killedProcess() async throws {
            let storage = try fixture.storage()
            try await storage.put("old", "a/replaced")
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = fixture.root as String] in
                let storage = try FileSystemStorage(root: root, durability: .none)
                await withTaskGroup(of: Void.self) { group in
                    let (started, signal) = AsyncStream<Void>.makeStream()
                    for (path, mode) in [
                        ("a/created", IfExists.fail), ("b/renamed", .rename), ("a/replaced", .replace),
                    ] {
                        let source = PatternSource(
                            byteCount: 4_000_000,
                            onChunk: { position in
                                guard position > 2_000_000 else { return }
                                signal.yield()
                                try await Task.sleep(for: .seconds(60))
                            }
                        )
                        group.addTask {
                            guard let name = try? StorageName(validating: path) else { return }
                            _ = try? await storage.upload(.stream(source), to: name, options: .init(ifExists: mode))
                        }
                    }
                    var count = 0
                    for await _ in started {
                        count += 1
                        if count == 3 { kill(getpid(), SIGKILL) }
                    }
                }
            }
            #expect(try await storage.names() == ["a/replaced"])
            #expect(try await storage.text("a/replaced") == "old")
            let left = try fixture.remains().subtracting(["a/", "a/replaced"])
            #expect(left.count == 1)
            #expect(left.allSatisfy { $0.hasPrefix(".stored-files-tmp/upload-") })
            #expect(try await storage.removeAbandonedUploads() == 0)
            #expect(try await storage.removeAbandonedUploads(olderThan: .seconds(-2)) == 1)
            #expect(try fixture.remains() == ["a/", "a/replaced"])
        }
    }

    /// The number of descriptors this process has open.
    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    /// The memory this process holds in RAM, in bytes.
    private func residentMemory() throws -> Int { try memory("VmRSS:") }

    /// The most memory this process has held in RAM, in bytes.
    private func peakResidentMemory() throws -> Int { try memory("VmHWM:") }

    private func memory(_ field: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(field) })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
#endif
