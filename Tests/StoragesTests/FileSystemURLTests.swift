import Foundation
import TestSupport
import Testing

@testable import Storages

@Suite("FileSystemStorage: URLs")
struct FileSystemURLTests {
    let fixture: FileSystemFixture
    let key = Array("0123456789abcdef0123456789abcdef".utf8)

    init() throws {
        fixture = try FileSystemFixture()
    }

    private func signing(_ baseURL: String = "https://example.org/media/", key: [UInt8]? = nil) throws
        -> FileSystemStorage
    {
        try fixture.storage(baseURL: baseURL, signingKey: key ?? self.key)
    }

    @Test(
        "The URL of a file is its path, or its address below the base URL, percent-encoded",
        arguments: [
            ("a b/c.txt", "a%20b/c.txt"), ("é?#&=%/+;:@.jpg", "%C3%A9%3F%23%26%3D%25/%2B%3B%3A%40.jpg"),
            ("~-._/0", "~-._/0"),
        ]
    )
    func plain(name: String, encoded: String) async throws {
        let name = try StorageName(validating: name)
        #expect(try await fixture.storage().url(for: name) == fixture.root + "/" + encoded)
        #expect(try await fixture.storage(baseURL: "/media").url(for: name) == "/media/" + encoded)
        #expect(try await fixture.storage(baseURL: "/").url(for: name) == "/" + encoded)
        let url = try await fixture.storage(baseURL: "https://example.org/m%20x/").url(for: name)
        #expect(url == "https://example.org/m%20x/" + encoded)
        #expect(try fixture.storage().capabilities == [.conditionalUpload, .rangedRead, .orderedListing])
        for options in [URLOptions(lifetime: .seconds(1)), URLOptions(contentDisposition: "inline")] {
            let code = await storageErrorCode {
                _ = try await fixture.storage(baseURL: "/m").url(for: name, options: options)
            }
            #expect(code == .unsupported)
        }
    }

    @Test(
        "A signed URL is accepted directly and through a proxy, and gives back its options",
        arguments: [
            "https://example.org/media", "/media", "",
        ]
    )
    func signedRoundTrip(baseURL: String) async throws {
        let storage = try signing(baseURL)
        #expect(storage.capabilities.contains(.temporaryURL))
        let name = try StorageName(validating: "d/é &=?.png")
        let options = URLOptions(
            lifetime: .seconds(60),
            contentDisposition: "attachment; filename=\"a&b=c.png\"",
            contentType: "image/png"
        )
        let url = try await storage.url(for: name, options: options)
        let expiry = Date().addingTimeInterval(60).timeIntervalSince1970
        let targets = [url, url.replacingOccurrences(of: "https://example.org", with: "http://10.0.0.1:8080")]
        for target in targets {
            for method in ["GET", "HEAD"] {
                let grant = try storage.verify(url: target, method: method)
                #expect(grant.name == name)
                #expect(grant.contentDisposition == options.contentDisposition)
                #expect(grant.contentType == options.contentType)
                #expect(abs(grant.expires.timeIntervalSince1970 - expiry) <= 2)
            }
        }
        let start = baseURL.hasPrefix("https") ? "https://example.org".count : 0
        let halves = url.dropFirst(start).split(separator: "?", maxSplits: 1).map(String.init)
        #expect(try storage.verify(path: halves[0], query: halves[1]).name == name)
        #expect(
            await storageErrorCode { _ = try storage.verify(url: url, now: Date(timeIntervalSinceNow: 62)) } == .expired
        )
        #expect(await storageErrorCode { _ = try storage.verify(url: url, now: Date(timeIntervalSinceNow: 58)) } == nil)
    }

    @Test("A signed URL with any change is refused")
    func tampering() async throws {
        let storage = try signing()
        let name = try StorageName(validating: "a/b.txt")
        let url = try await storage.url(for: name, options: URLOptions(contentType: "text/plain"))
        #expect(try storage.verify(url: url).name == name)
        for (old, new) in [
            ("b.txt", "c.txt"), ("/a/", "/a/../"), ("/media/", "/other/"), ("expires=", "expires=9"),
            ("text%2Fplain", "text%2Fhtml"),
            ("&response-content-type=text%2Fplain", ""), ("&signature", "&x=1&signature"),
            ("&signature=", "&signature=0"),
            ("?expires", "?signature=00&expires"), ("b.txt", "b%2"), ("b.txt", "b%FF"), ("b.txt", "b%00"),
            ("&signature=", "&none="),
            ("https", "ftp"), ("?", "#?"), ("?", ""),
        ] {
            let changed = url.replacingOccurrences(of: old, with: new)
            #expect(changed != url)
            #expect(await storageErrorCode { _ = try storage.verify(url: changed) } == .invalidURL, "\(old) → \(new)")
        }
        for index in 1...64 {
            var changed = Array(url)
            let position = changed.count - index
            changed[position] = changed[position] == "0" ? "1" : "0"
            #expect(await storageErrorCode { _ = try storage.verify(url: String(changed)) } == .invalidURL)
        }
        for method in ["PUT", "DELETE", "POST", "get"] {
            #expect(await storageErrorCode { _ = try storage.verify(url: url, method: method) } == .invalidURL)
        }
        var otherKey = key
        otherKey[31] ^= 1
        #expect(await storageErrorCode { _ = try signing(key: otherKey).verify(url: url) } == .invalidURL)
        #expect(await storageErrorCode { _ = try signing("https://example.com/media").verify(url: url) } == .invalidURL)
        #expect(await storageErrorCode { _ = try fixture.storage().verify(url: url) } == .unsupported)
        do {
            _ = try storage.verify(url: url + "0")
        } catch {
            let signature = try #require(url.split(separator: "signature=").last)
            #expect(!"\(error)".contains(signature), "a signature must not get into a log")
        }
    }

    @Test("A disposition with a control character is neither signed nor accepted")
    func controlsInHeaders() async throws {
        let storage = try signing()
        let name = try StorageName(validating: "a")
        for text in ["attachment\r\nSet-Cookie: a=b", "a\u{0}", "a\u{7F}", "a\tb"] {
            let options = URLOptions(contentDisposition: text)
            #expect(await storageErrorCode { _ = try await storage.url(for: name, options: options) } == .invalidURL)
            let query = "expires=9999999999&response-content-disposition=" + PercentEncoding.encode(component: text)
            let location = "https://example.org/media/a?" + query
            let signature = try HMACSHA256.authenticate("GET\n" + location, key: key).hexadecimal
            #expect(
                await storageErrorCode { _ = try storage.verify(url: location + "&signature=" + signature) }
                    == .invalidURL
            )
        }
    }

    @Test("A combining mark after a separator of a URL does not hide the separator")
    func marksBehindSeparators() async throws {
        let storage = try signing("/media")
        let name = try StorageName(validating: "a")
        let url = try await storage.url(for: name)
        #expect(try storage.verify(url: "http://host" + url).name == name)
        #expect(await storageErrorCode { _ = try storage.verify(url: "http://host/\u{301}x" + url) } == .invalidURL)
        let marked = try StorageName(validating: "a/\u{301}b")
        #expect(try await storage.verify(url: storage.url(for: marked)).name == marked)
    }

    @Test("A URL quantum that is not positive or longer than 100 years is refused", arguments: [0, -1, Int64.max])
    func hostileQuantum(seconds: Int64) async throws {
        let storage = try signing()
        let error = await #expect(throws: StorageError.self) {
            try await storage.url(for: StorageName(validating: "a"), options: URLOptions(quantum: .seconds(seconds)))
        }
        #expect(error?.code == .invalidURL)
    }

    @Test("Equal requests for URLs within the quantum give equal URLs that live long enough")
    func quantum() async throws {
        let storage = try signing()
        let name = try StorageName(validating: "a")
        let options = URLOptions(lifetime: .seconds(100), quantum: .seconds(300))
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        let urls = try (0..<600).map { try storage.url(for: name, options: options, now: start + Double($0)) }
        // 1,800,000,000 is a multiple of 300: an expiry is rounded up to the next.
        #expect(urls.filter { $0.contains("expires=1800000300&") }.count == 201)
        #expect(Set(urls).count == 3)
        for (second, url) in urls.enumerated() {
            #expect(try storage.verify(url: url, now: start + Double(second) + 99).name == name)
        }
        for lifetime in [Duration.zero, .seconds(-1), .seconds(Int64.max / 4)] {
            let code = await storageErrorCode {
                _ = try await storage.url(for: name, options: .init(lifetime: lifetime))
            }
            #expect(code == .invalidURL)
        }
    }

    @Test(
        "An invalid base URL or signing key is refused",
        arguments: [
            ("not a url", nil), ("ftp://example.org", nil), ("https://", nil),
            ("https://user:password@example.org", nil),
            ("/media?x=1", nil), ("//example.org/m", nil), ("/media", 15), (nil, 32),
        ] as [(String?, Int?)]
    )
    func configuration(baseURL: String?, keyLength: Int?) async {
        let code = await storageErrorCode {
            _ = try fixture.storage(baseURL: baseURL, signingKey: keyLength.map { [UInt8](repeating: 7, count: $0) })
        }
        #expect(code == .invalidConfiguration)
    }

    @Test("An invalid root directory is refused")
    func roots() async throws {
        try fixture.write("x", to: fixture.path + "/file")
        for root in ["", "a\0b", fixture.path + "/file", fixture.path + "/file/below"] {
            #expect(
                await storageErrorCode { _ = try FileSystemStorage(root: root) } == .invalidConfiguration,
                "\(root)"
            )
        }
        let missing = fixture.path + "/x/y/z"
        var options = FileSystemOptions()
        options.createsRoot = false
        #expect(
            await storageErrorCode { _ = try FileSystemStorage(root: missing, options: options) }
                == .invalidConfiguration
        )
        #expect(await storageErrorCode { _ = try FileSystemStorage(root: missing) } == nil)
    }

    @Test("An option with a value out of range is refused by name, and nothing is made")
    func options() throws {
        let tooLong = Duration.seconds(101 * 366 * 86_400)
        let bad: [(property: String, remedy: String, set: (inout FileSystemOptions) -> Void)] = [
            ("fileMode", "include 0o600, at most 0o777.", { $0.fileMode = 0o100644 }),
            ("fileMode", "include 0o600, at most 0o777.", { $0.fileMode = 0o444 }),
            ("directoryMode", "include 0o700, at most 0o777.", { $0.directoryMode = 0o2775 }),
            ("directoryMode", "include 0o700, at most 0o777.", { $0.directoryMode = 0o600 }),
            ("urlLifetime", "Give more than 0 and at most 100 years.", { $0.urlLifetime = .zero }),
            ("urlLifetime", "Give more than 0 and at most 100 years.", { $0.urlLifetime = tooLong }),
        ]
        let missing = fixture.path + "/none"
        for (property, remedy, set) in bad {
            var options = FileSystemOptions()
            set(&options)
            let error = #expect(throws: StorageError.self) { try FileSystemStorage(root: missing, options: options) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.hasPrefix("FileSystemOptions.\(property) cannot be ") == true)
            #expect(error?.message.hasSuffix(remedy) == true)
        }
        #expect(!FileManager.default.fileExists(atPath: missing))
    }
}
