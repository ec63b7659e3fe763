// The Go SDK's client with a metadata document: document-client URL DOCUMENT. It prints where to log in, and calls a tool with a
// refreshed token.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/oauth2"
)

func main() {
	ctx := context.Background()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	answers := make(chan *auth.AuthorizationResult, 1)
	go http.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		query := request.URL.Query()
		answers <- &auth.AuthorizationResult{Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss")}
	}))
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL:                    fmt.Sprintf("http://%s/callback", listener.Addr()),
		ClientIDMetadataDocumentConfig: &auth.ClientIDMetadataDocumentConfig{URL: os.Args[2]},
		RequestRefreshToken:            true,
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			fmt.Println(args.URL)
			return <-answers, nil
		},
		// Takes the first token for expired, so that the client refreshes it.
		NewTokenSource: func(ctx context.Context, config *oauth2.Config, token *oauth2.Token) (oauth2.TokenSource, error) {
			token.Expiry = time.Unix(1, 0)
			return config.TokenSource(ctx, token), nil
		},
	})
	check(err)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: os.Args[1], OAuthHandler: handler}, nil)
	check(err)
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "whoami"})
	check(err)
	fmt.Println(result.Content[0].(*mcp.TextContent).Text)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
