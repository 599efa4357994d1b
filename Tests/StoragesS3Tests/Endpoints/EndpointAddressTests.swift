import Storages
import Testing

@testable import StoragesS3

@Suite("Endpoint addresses")
struct EndpointAddressTests {
    @Test(
        "A malformed endpoint is refused with a reason that does not repeat it",
        arguments: [
            ("https://s3.example.org", "scheme"), ("user:hunter2@s3.example.org", "user name"),
            ("s3.example.org/path", "path"),
            ("s3.example.org\\path", "path"), ("s3.example.org?x=hunter2", "query"), ("s3.example.org#x", "fragment"),
            ("s3.example.org\r\nX-Evil: 1", "line break"), ("s3.example.org\n", "line break"),
            ("s3 .example.org", "space"),
            (" s3.example.org", "space"), ("", "empty"), ("/", "empty"), ("s3\t.org", "control"),
            ("s3.bücher.org", "xn--"),
            ("s3.example.org:", "port"), ("s3.example.org:0", "port"), ("s3.example.org:65536", "port"),
            ("s3.example.org:9x", "port"),
            ("s3.example.org:+80", "port"), ("::1", "brackets"), ("[::1", "brackets"),
            ("[::1]9000", "after its brackets"),
            ("[fe80::1%25eth0]", "brackets"), ("[1:2:3]", "brackets"), ("[::1::2]", "brackets"),
            ("[12345::]", "brackets"),
            ("[:::]", "brackets"), ("s3..example.org", "host name"), (".s3", "host name"), ("-s3.org", "host name"),
            ("s3.org.", "host name"), ("s3%2eorg", "host name"), ("s3;x", "host name"),
            (String(repeating: "a.", count: 130), "host name"),
        ]
    )
    func refusals(text: String, problem: String) {
        let error = #expect(throws: StorageError.self) { try EndpointAddress(text, option: "endpointURL") }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("endpointURL") == true)
        #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("X-Evil") == false)
    }

    @Test("An endpoint may begin with http, which the reference library refuses")
    func http() throws {
        #expect(try EndpointAddress("httpd.lan", option: "endpointURL").host == "httpd.lan")
    }

    @Test("A whole URL is parsed as an endpoint, and a malformed one is refused")
    func urls() throws {
        let (scheme, address) = try EndpointAddress.parse(url: "HTTP://Localhost:9000/", option: "endpointURL")
        #expect(scheme == .http)
        #expect(address.authority(for: scheme) == "localhost:9000")
        #expect(try EndpointAddress.parse(url: "https://[::1]", option: "endpointURL").address.isIPLiteral)
        for url in [
            "localhost:9000", "ftp://localhost", "file:///etc/passwd", "https://", "https:///a", "https://u:p@a",
            "https://a/b?c", "https://a/b#c",
            "https://a/b c", "https://a/%zz", "https://a/b/../c", "https://a/%2E/c", "https://a/é", "https://a/b://c",
            "://a",
        ] {
            let error = #expect(throws: StorageError.self, "\(url)") {
                try EndpointAddress.parse(url: url, option: "endpointURL")
            }
            #expect(error?.code == .invalidConfiguration)
        }
    }
}
