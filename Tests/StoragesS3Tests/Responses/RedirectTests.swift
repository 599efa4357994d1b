import Storages
import StoragesS3
import Testing

@Suite("Redirects to other hosts", .timeLimit(.minutes(2)))
struct RedirectTests {
    private static let statuses = [301, 302, 303, 307, 308]

    @Test("A redirect to another host is not followed, and the error names its target", arguments: statuses)
    func areNotFollowed(status: Int) async throws {
        try await FaultProxy.with { target async throws in
            target.script { _, _ in .answer(.init(200, body: "credentials")) }
            try await FaultProxy.with { proxy async throws in
                let locations = ["http://169.254.169.254/latest/meta-data/", "http://\(target.endpoint)/bucket/name"]
                for location in locations {
                    let host = location.split(separator: "/")[1]
                    proxy.script { _, _ in .answer(.init(status, headers: [("Location", location)])) }
                    let storage = try proxy.storage()
                    let name = try StorageName(validating: "name")
                    let operations: [(String, () async throws -> Void)] = [
                        ("GET", { _ = try await storage.open(name) }),
                        ("HEAD", { _ = try await storage.info(for: name) }),
                        (
                            "PUT",
                            { _ = try await storage.upload(.string("x"), to: name, options: .init(ifExists: .replace)) }
                        ),
                        ("DELETE", { try await storage.delete(name) }),
                        ("GET", { for try await _ in storage.list() {} }),
                    ]
                    for (method, operation) in operations {
                        let before = proxy.requests.count
                        let error = await #expect(throws: StorageError.self, "\(method)") { try await operation() }
                        #expect(error?.code == .invalidConfiguration, "\(method)")
                        #expect(error?.message.contains(host) == true, "\(String(describing: error))")
                        #expect(proxy.requests.dropFirst(before).map(\.method) == [method])
                    }
                }
            }
            #expect(target.requests.isEmpty)
            #expect(target.connections.isEmpty)
        }
    }
}
