import TestSupport
import Testing

@testable import PostgresModels

/// Whatever libpq takes a password for, no message repeats it.
@Suite struct ConnectionSecrecyTests {
    @Test(
        "A connection string that could be misread is refused, and its password is not repeated",
        arguments: [
            "postgresql://odd:Sup3r/S3cret@host/db", "postgresql://odd:/S3cret@host/db",
            "postgresql://odd:S3cret/@host/db",
            "postgresql://odd:123/S3cret@host", "postgresql://odd:a,S3cret/x@host/db",
            "postgresql://od/d:S3cret@host/db",
            "postgres://odd:Sup/S3cret@Sup@host/db", "postgresql://odd:Sup3r@S3cret@host/db", "postgresql://odd:S3cret",
            "postgresql://odd:Sup3r%S3cret@host/db", "postgresql://odd:1/a?S3cret=x@host/db",
            "postgresql://odd:1/a?S3cret@host",
            "postgresql://h/db?password=a&S3cret", "postgresql://h/db?password=a#b=S3cret",
            "postgresql://h/db?S3cret=a",
            "host=h password='S3cret", "host=h password=a S3cret user=x", "host=h password='a' S3cret'", "S3cret=a",
            "host=h port=S3cret", "host=h dbname=postgresql://u:S3cret@h/d", "host=h dbname='password=S3cret'",
            "host=h connect_timeout=S3cret", "host=h hostaddr=S3cret",
        ]
    )
    func aStringThatIsMisreadIsRefusedWithoutRepeatingIt(_ conninfo: String) async throws {
        let error = try await databaseError { _ = try ConnectionTarget(conninfo) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("cret") == false)
    }

    @Test(
        "An error of libpq about a connection string does not show the password",
        arguments: [
            "host=/nonexistent sslmode=S3cret", "host=/nonexistent target_session_attrs=S3cret",
            "host=/nonexistent port=99999999 password=S3cret", "host=/nonexistent gssencmode=S3cret",
            "host=/nonexistent channel_binding=S3cret", "host=/nonexistent keepalives=S3cret",
            "host=/nonexistent service=S3cret",
            "postgresql://odd:Sup3r?S3cret@localhost:1/db", "postgresql://odd:Sup3r#S3cret@localhost:1/db",
            "postgresql://odd:Sup3r:S3cret@localhost:1/db", "postgresql://odd:Sup3r%2FS3cret@localhost:1/db",
            "host=/nonexistent password=S3'cret", "host=/nonexistent password='S3\\'cret'",
        ]
    )
    func whatLibpqSaysOfItIsNotRepeated(_ conninfo: String) async throws {
        let error = try await databaseError { _ = try await PostgresConnection.connect(conninfo) }
        #expect(error?.code == .connectionFailed)
        #expect(error?.message.contains("cret") == false)
    }

    @Test(
        "A connection string that is unambiguous is accepted",
        arguments: [
            "postgresql://u:p%2Fw%40x@h:5432/db?sslmode=disable", "postgresql:///db?host=/tmp&user=a@b",
            "host=h,i port=1,2",
            "postgresql://u:p@h/db?application_name=a@b", "postgresql://h:5432/db?user=a@b", "",
            "postgresql://u@[::1]:5432/db",
        ]
    )
    func whatIsUnambiguousIsTaken(_ conninfo: String) throws {
        #expect(throws: Never.self) { try ConnectionTarget(conninfo) }
    }
}
