import Foundation
import StoredFilesTesting
import Testing

/// Whatever reconnects while sessions end: a restart of the server, a failover, a time limit for idle sessions.
@Suite struct ReconnectStormTests {
    /// `STORM_ROUNDS` and `STORM_SECONDS` in the environment make it longer.
    @Test("Every statement ends while all sessions are terminated again and again")
    func everyStatementEndsWhileAllSessionsAreEndedInRounds() async throws {
        try await Self.storm(preloading: nil)
    }

    #if os(Linux)
        /// Between the end of a socket and the moment that its owner learns of it, its number belongs to another one.
        @Test(
            "Every statement ends when descriptors of closed sockets are reused at once",
            .disabled(if: Sanitizer.isOn, "a library that is loaded first hides functions of the sanitizer")
        )
        func everyStatementEndsWhenClosedSocketsAreReusedAtOnce() async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "storm-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let source = folder.appending(path: "late_close.c").path
            let library = folder.appending(path: "late_close.so").path
            try Self.lateClose.write(toFile: source, atomically: true, encoding: .utf8)
            let compiler = try await TestProgram.run(
                "clang",
                ["-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"]
            )
            try #require(compiler.status == 0, "\(compiler.output)")
            try await Self.storm(preloading: library)
        }
    #endif

    /// `close` of a socket that returns 20 ms after the number is free.
    private static let lateClose = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <sys/stat.h>
        #include <unistd.h>

        int close(int descriptor) {
            int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
            struct stat status;
            int is_socket = fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
            int result = real(descriptor);
            int error = errno;
            if (is_socket) usleep(20000);
            errno = error;
            return result;
        }

        """

    private static func storm(preloading library: String?) async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        let storm = try await TestProgram.run(
            TestProgram.path(of: "ReconnectStorm"),
            [url],
            environment: library.map { ["LD_PRELOAD": $0] } ?? [:]
        )
        #expect(storm.status == 0, "\(storm.output)")
        #expect(storm.output.contains("unexpected 0"), "\(storm.output)")
    }
}
