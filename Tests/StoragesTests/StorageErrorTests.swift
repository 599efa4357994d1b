import Foundation
import Testing

@testable import Storages

@Suite struct StorageErrorTests {
    @Test(
        "An errno becomes a storage error with the right code and message",
        arguments: [
            (ENOENT, StorageError.Code.notFound), (ENOTDIR, .notFound), (EEXIST, .alreadyExists),
            (EACCES, .permissionDenied),
            (EROFS, .permissionDenied), (ELOOP, .permissionDenied), (ENAMETOOLONG, .invalidName), (ENOSPC, .outOfSpace),
            (EDQUOT, .outOfSpace), (EFBIG, .tooLarge), (EMFILE, .unavailable), (EIO, .io), (ETIMEDOUT, .timeout),
            (ENOSYS, .unsupported), (EOPNOTSUPP, .unsupported), (EPERM, .permissionDenied), (ENOTCONN, .unavailable),
            (ESHUTDOWN, .unavailable), (EHOSTDOWN, .unavailable), (EHOSTUNREACH, .unavailable),
            (ECONNRESET, .unavailable),
            (ESTALE, .unavailable), (EMLINK, .outOfSpace),
        ]
    )
    func mapsErrno(errno: Int32, code: StorageError.Code) {
        let error = StorageError(errno: errno, "open the file", path: "/var/x", name: "x", storage: "Test")
        #expect(error.code == code)
        #expect(error.message.hasPrefix("Cannot open the file at \"/var/x\": "))
        #expect(error.message.contains("(errno \(errno))"))
        #expect(error.underlying as? SystemCallFailure == SystemCallFailure(errno: errno))
        #expect(error.description.contains("[name: \"x\"] [storage: Test]"))
    }

    @Test("Untrusted text in an error is quoted, escaped and shortened")
    func quotesUntrustedText() {
        #expect(StorageError.quoted("a\nb\u{202E}\"c\\") == "\"a\\u{a}b\\u{202e}\\u{22}c\\u{5c}\"")
        #expect(StorageError.quoted(String(repeating: "x", count: 5000)).count == 123)
    }
}
