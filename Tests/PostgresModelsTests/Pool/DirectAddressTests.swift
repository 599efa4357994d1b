import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

@Suite("The direct address")
struct DirectAddressTests {
    @Test("A configuration is printed without its direct address, which may contain a password")
    func isNeverPrinted() {
        let address = "postgresql://app:secret@db.example.org/app"
        let configuration = DatabaseConfiguration(directAddress: address)
        #expect(configuration.directAddress == address)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"))
            #expect(!text.contains("db.example.org"))
        }
    }

    @Test("A malformed direct address is refused when connecting, and not repeated in the error")
    func cannotBeRead() async throws {
        let url = try await TemporaryPostgres.shared().url
        let error = try await databaseError {
            let configuration = DatabaseConfiguration(directAddress: "secret without a key")
            _ = try await Database.connect(url, configuration: configuration)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("secret") == false)
    }
}
